import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Connects to the first of a host's addresses that answers (RFC 8305).
///
/// The families take turns; each address has a head start of `WebSocketLimits.addressStagger` over
/// the next, or until it fails. Whoever comes second is closed. Nothing is read before `decided`
/// returns: there the winner gets its handlers. Confined to its loop; used once.
final class AddressRace {
    typealias Outcome = Result<any Channel, HandshakeFailure>

    private let loop: any EventLoop
    private let timeout: Duration
    private let permit: (@Sendable () -> Bool)?
    private var waiting: [SocketAddress]
    private var racing: [any Channel] = []
    private var running = 0
    private var stagger: Scheduled<Void>?
    private var firstFailure: HandshakeFailure?
    /// Nil once the race is decided or called off.
    private var decided: ((Outcome) -> Void)?

    /// - Parameter permit: Asked right before each connect.
    init(
        _ addresses: [SocketAddress], timeout: Duration, on loop: any EventLoop,
        permit: (@Sendable () -> Bool)? = nil
    ) {
        self.permit = permit
        self.waiting = Self.interleaved(addresses)
        self.timeout = timeout
        self.loop = loop
    }

    /// Starts; `decided` is called once on the loop, unless the race is called off before.
    func start(_ decided: @escaping (Outcome) -> Void) {
        self.decided = decided
        self.startNext()
    }

    /// Ends the race without a winner; no socket survives.
    func callOff() {
        self.decided = nil
        self.closeRacing()
    }

    private func startNext() {
        self.stagger?.cancel()
        self.stagger = nil
        guard self.decided != nil, !self.waiting.isEmpty else { return }
        guard self.permit?() ?? true else {
            let decided = self.decided.take()
            self.closeRacing()
            decided?(.failure(.notPermitted))
            return
        }
        let address = self.waiting.removeFirst()
        self.running += 1
        if !self.waiting.isEmpty {
            self.stagger = self.loop.assumeIsolated().scheduleTask(
                in: TimeAmount(WebSocketLimits.addressStagger)
            ) { self.startNext() }
        }
        let race = NIOLoopBound(self, eventLoop: self.loop)
        ClientBootstrap(group: self.loop)
            .connectTimeout(TimeAmount(self.timeout))
            .channelInitializer { channel in
                race.value.racing.append(channel)
                do {
                    try Self.acknowledgeWithTheRequest(channel)
                    return channel.eventLoop.makeSucceededVoidFuture()
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { self.finished($0) }
    }

    /// The client speaks first, so the third packet of TCP's handshake travels with what it says
    /// (tcp(7), TCP_QUICKACK): one packet less, and the server is woken once, not twice.
    private static func acknowledgeWithTheRequest(_ channel: any Channel) throws {
        #if os(Linux)
            try channel.syncOptions?.setOption(
                .tcpOption(NIOBSDSocket.Option(rawValue: TCP_QUICKACK)), value: 0)
        #endif
    }

    private func finished(_ result: Result<any Channel, any Error>) {
        self.running -= 1
        switch result {
        case .success(let channel):
            self.racing.removeAll { $0 === channel }
            guard let decided = self.decided.take() else {
                channel.close(promise: nil)
                return
            }
            self.closeRacing()
            decided(.success(channel))
        case .failure(let error):
            let failure = HandshakeFailure(transport: error)
            if self.firstFailure == nil { self.firstFailure = failure }
            self.startNext()
            if self.running == 0, let decided = self.decided.take() {
                decided(.failure(self.firstFailure ?? failure))
            }
        }
    }

    private func closeRacing() {
        self.stagger?.cancel()
        self.stagger = nil
        let racing = self.racing
        self.racing = []
        for channel in racing { channel.close(promise: nil) }
    }

    /// Alternates between the families, beginning with the first address's.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard addresses.count > 1, let first = addresses.first else { return addresses }
        let mine = addresses.filter { $0.protocol == first.protocol }
        let others = addresses.filter { $0.protocol != first.protocol }
        var result: [SocketAddress] = []
        for index in 0..<max(mine.count, others.count) {
            if index < mine.count { result.append(mine[index]) }
            if index < others.count { result.append(others[index]) }
        }
        return result
    }
}

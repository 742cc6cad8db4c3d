import NIOCore
import NIOSSL

/// One dial from the name to the 101, in phases with a deadline each.
///
/// Whatever ends it - success, failure, deadline, cancel - happens once, cancels every alarm and
/// leaves either one open connection or no socket. Confined to its loop.
final class DialAttempt {
    typealias MakeDelegate = @Sendable (WebSocketConnection) -> any WebSocketDelegate

    /// A name may have dozens of addresses; the message stays one line.
    private static let shownRefusals = 3

    /// When something has to be done, and what it was allowed.
    private struct Deadline {
        static let never = Deadline(at: .distantFuture, limit: .zero)

        var at: NIODeadline
        var limit: Duration
    }

    private let request: WebSocketRequest
    private let loop: any EventLoop
    private let resolver: any HostResolver
    private let contexts: TLSContextCache
    private let makeDelegate: MakeDelegate
    private let promise: EventLoopPromise<WebSocketConnection>

    private var phase: WebSocketDialError.Phase = .resolve
    private var phaseEnds = Deadline.never
    private var dialEnds = Deadline.never
    private let alarms: DialAlarms
    /// One for both: most dials are over before it rings, and then it was set and cancelled once.
    private var alarm: (due: NIODeadline, number: DialAlarms.Number)?
    private var race: AddressRace?
    private var channel: (any Channel)?
    private var handler: WebSocketHandler?
    private var isFinished = false

    /// On the loop.
    init(
        _ request: WebSocketRequest,
        loop: any EventLoop,
        resolver: any HostResolver,
        contexts: TLSContextCache,
        makeDelegate: @escaping MakeDelegate,
        promise: EventLoopPromise<WebSocketConnection>
    ) {
        self.request = request
        self.loop = loop
        self.alarms = DialAlarms.of(loop)
        self.resolver = resolver
        self.contexts = contexts
        self.makeDelegate = makeDelegate
        self.promise = promise
    }

    func start() {
        guard !self.isFinished else { return }
        if let problem = HandshakeRequest.problem(in: self.request) {
            self.phase = .total
            self.fail(HandshakeFailure(code: .invalidRequest, message: problem))
            return
        }
        self.dialEnds = self.deadline(in: self.request.timeouts.dial)
        if self.request.isSecure {
            // Unusable TLS material is found before anybody is troubled.
            self.phase = .tls
            self.setAlarm()
            self.contexts.context(for: self.request.tls, on: self.loop)
                .assumeIsolated()
                .whenComplete { self.proceed($0) { self.resolve(context: $0) } }
        } else {
            self.resolve(context: nil)
        }
    }

    /// Gives up; of no effect when the dial is done.
    func cancel() {
        self.phase = .total
        self.fail(HandshakeFailure(code: .cancelled, message: "cancelled"))
    }

    // MARK: - Phases

    private func resolve(context: NIOSSLContext?) {
        let (host, port) = (self.request.host, self.request.port)
        if let addresses = self.resolver.known(host, port: port) {
            self.connect(addresses, context: context)
            return
        }
        self.enter(.resolve, self.request.timeouts.resolve)
        self.resolver.resolve(host, port: port, on: self.loop)
            .assumeIsolated()
            .whenComplete { self.proceed($0) { self.connect($0, context: context) } }
    }

    private func connect(_ addresses: [SocketAddress], context: NIOSSLContext?) {
        self.enter(.connect, self.request.timeouts.connect)
        let admitted: [SocketAddress]
        do {
            admitted = try self.admitted(addresses)
        } catch {
            self.fail(error)
            return
        }
        // The phase's timer is the one that counts; the sockets' own comes later.
        let timeout = self.request.timeouts.connect + .seconds(1)
        let race = AddressRace(
            admitted, timeout: timeout, on: self.loop, permit: self.request.permit)
        self.race = race
        race.start { outcome in
            self.race = nil
            self.proceed(outcome.mapError { $0 }) { self.shakeHands($0, context: context) }
        }
    }

    /// The addresses that the request's filter lets pass. Some refused do not spoil the others: only
    /// these are ever connected to.
    private func admitted(
        _ addresses: [SocketAddress]
    ) throws(HandshakeFailure) -> [SocketAddress] {
        guard let filter = self.request.addressFilter else { return addresses }
        var refusals: [String] = []
        let admitted = addresses.filter { address in
            guard let refusal = filter(address) else { return true }
            if !refusals.contains(refusal) { refusals.append(refusal) }
            return false
        }
        guard admitted.isEmpty, !refusals.isEmpty else { return admitted }
        throw HandshakeFailure(
            code: .addressRefused,
            message: refusals.prefix(Self.shownRefusals).joined(separator: "; "))
    }

    private func shakeHands(_ channel: any Channel, context: NIOSSLContext?) {
        self.channel = channel
        let timeouts = self.request.timeouts
        if context == nil {
            self.enter(.upgrade, timeouts.upgrade)
        } else {
            self.enter(.tls, timeouts.tls)
        }
        var generator = SystemRandomNumberGenerator()
        let handler = WebSocketHandler(
            request: self.request, key: HandshakeKey(using: &generator), observer: self)
        do {
            let pipeline = channel.pipeline.syncOperations
            if let context {
                try channel.syncOptions?.setOption(.allocator, value: TLSBuffers.allocator)
                try pipeline.addHandler(ReadBufferReturn.shared)
                try pipeline.addHandler(
                    NIOSSLClientHandler(
                        context: context, serverHostname: self.request.nameToVerify))
            }
            try pipeline.addHandler(handler)
            self.handler = handler
            try channel.syncOptions?.setOption(.recvAllocator, value: SharedReadAllocator())
            try channel.syncOptions?.setOption(
                .maxMessagesPerRead, value: SharedReadAllocator.readsInARow)
        } catch {
            self.fail(HandshakeFailure(transport: error))
            return
        }
        // What is written in one turn of the loop is written in a row, so that a server that is woken
        // by the first request is awake for the others.
        self.loop.assumeIsolated().execute { handler.begin() }
    }

    // MARK: - Ends

    private func succeed(_ agreement: HandshakeAgreement) {
        guard !self.isFinished, let handler = self.handler else { return }
        self.finish()
        handler.agreement = agreement.isEmpty ? nil : agreement
        let connection = WebSocketConnection(handler: handler, loop: self.loop)
        handler.delegate = self.makeDelegate(connection)
        self.promise.succeed(connection)
    }

    private func fail(_ failure: HandshakeFailure) {
        guard !self.isFinished else { return }
        let error = WebSocketDialError(failure, phase: self.phase, request: self.request)
        let (race, handler, channel) = (self.race, self.handler, self.channel)
        self.finish()
        race?.callOff()
        if let handler { handler.abandon() } else { channel?.close(promise: nil) }
        self.promise.fail(error)
    }

    private func finish() {
        self.isFinished = true
        self.cancelAlarm()
        (self.race, self.handler, self.channel) = (nil, nil, nil)
    }

    /// Goes on with a phase's result, unless the dial is over.
    private func proceed<Value>(
        _ result: Result<Value, some Error>,
        _ next: (Value) -> Void
    ) {
        guard !self.isFinished else { return }
        switch result {
        case .success(let value): next(value)
        case .failure(let error): self.fail(HandshakeFailure(transport: error))
        }
    }

    // MARK: - Deadlines

    private func enter(_ phase: WebSocketDialError.Phase, _ limit: Duration) {
        self.phase = phase
        self.phaseEnds = self.deadline(in: limit)
        self.setAlarm()
    }

    private func deadline(in limit: Duration) -> Deadline {
        Deadline(at: self.loop.now + TimeAmount(limit), limit: limit)
    }

    /// An alarm that is due too soon is left as it is: it finds nothing to do and is set again.
    private func setAlarm() {
        let due = min(self.phaseEnds.at, self.dialEnds.at)
        if let alarm = self.alarm, alarm.due <= due { return }
        self.cancelAlarm()
        self.alarm = (due, self.alarms.set(due, for: self))
    }

    private func cancelAlarm() {
        guard let alarm = self.alarm.take() else { return }
        self.alarms.cancel(alarm.number)
    }

    /// The alarm that was set has come.
    func alarmRang() {
        self.alarm = nil
        let now = self.loop.now
        if self.dialEnds.at <= now {
            let during = self.phase.rawValue
            self.phase = .total
            self.fail(.late(self.dialEnds.limit, ", was in \(during)"))
        } else if self.phaseEnds.at <= now {
            self.fail(.late(self.phaseEnds.limit))
        } else {
            self.setAlarm()
        }
    }
}

extension HandshakeFailure {
    fileprivate static func late(_ limit: Duration, _ detail: String = "") -> HandshakeFailure {
        HandshakeFailure(code: .timedOut, message: "not done within \(limit)\(detail)")
    }
}

extension DialAttempt: HandshakeObserver {
    func handshakeSecured() {
        self.enter(.upgrade, self.request.timeouts.upgrade)
    }

    func handshakeUpgraded(_ agreement: HandshakeAgreement) {
        self.succeed(agreement)
    }

    func handshakeFailed(_ failure: HandshakeFailure) {
        self.fail(failure)
    }
}

extension WebSocketRequest {
    /// The name for SNI and verification; with none, the certificate must be for the address.
    var nameToVerify: String? {
        let name = self.tls.serverName ?? self.host
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        return isAddress ? nil : name
    }
}

extension WebSocketDialError {
    /// Adds phase and place; of the request only host and port are shown.
    init(_ failure: HandshakeFailure, phase: Phase, request: WebSocketRequest) {
        let host = request.host.contains(":") ? "[\(request.host)]" : request.host
        let place = HTTPText.printable("\(host):\(request.port)", limit: 270)
        // With TLS 1.3 a server refuses our certificate when the handshake is done for us.
        let phase = failure.code == .tlsVerification ? .tls : phase
        let step = phase == .total ? "dial" : phase.rawValue
        self.init(
            phase: phase, code: failure.code, httpStatus: failure.httpStatus,
            location: failure.location, retryAfter: failure.retryAfter,
            message: "\(step) \(place): \(failure.message)")
    }
}

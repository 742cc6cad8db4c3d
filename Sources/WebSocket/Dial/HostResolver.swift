import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Finds the addresses of a host; a seam for tests.
protocol HostResolver: Sendable {
    /// The addresses of a host that need no looking up, or were looked up just now; `nil` where it
    /// takes time.
    func known(_ host: String, port: Int) -> [SocketAddress]?
    /// Looks a host up without blocking the loop.
    /// - Returns: At least one address in order of preference, or a `HandshakeFailure`. May never
    ///   complete: the dial has its deadline.
    func resolve(
        _ host: String,
        port: Int,
        on loop: any EventLoop
    ) -> EventLoopFuture<[SocketAddress]>
}

extension HostResolver {
    func known(_: String, port _: Int) -> [SocketAddress]? { nil }
}

/// The system's resolver, on threads of its own because it blocks.
///
/// Dials to the same host and port at one time share one look-up, so that a thousand dials to a
/// dead name take one thread and not all; those of the next seconds take its answer.
final class SystemResolver: HostResolver {
    /// Lives as long as the process, like its threads.
    static let shared = SystemResolver()

    private struct State {
        var waiting: [AddressCache.Key: [EventLoopPromise<[SocketAddress]>]] = [:]
        var cache = AddressCache(
            lifetime: WebSocketLimits.addressLifetime, limit: WebSocketLimits.cachedNames)
    }

    private let pool: NIOThreadPool
    private let state = Mutex(State())

    private init() {
        self.pool = NIOThreadPool(numberOfThreads: WebSocketLimits.resolverThreads)
        self.pool.start()
    }

    func known(_ host: String, port: Int) -> [SocketAddress]? {
        if let literal = try? SocketAddress(ipAddress: host, port: port) { return [literal] }
        let key = AddressCache.Key(host: host, port: port)
        return self.state.withLock { $0.cache.addresses(of: key, now: .now()) }
    }

    func resolve(
        _ host: String,
        port: Int,
        on loop: any EventLoop
    ) -> EventLoopFuture<[SocketAddress]> {
        if let known = self.known(host, port: port) { return loop.makeSucceededFuture(known) }
        let key = AddressCache.Key(host: host, port: port)
        let promise = loop.makePromise(of: [SocketAddress].self)
        let isFirst = self.state.withLock { state in
            state.waiting[key, default: []].append(promise)
            return state.waiting[key]?.count == 1
        }
        if isFirst { self.pool.submit { _ in self.answer(key) } }
        return promise.futureResult
    }

    private func answer(_ key: AddressCache.Key) {
        let result = Result { try Self.lookUp(key.host, port: key.port) }
        let promises = self.state.withLock { state in
            if case .success(let addresses) = result {
                state.cache.keep(addresses, of: key, now: .now())
            }
            return state.waiting.removeValue(forKey: key) ?? []
        }
        for promise in promises { promise.completeWith(result) }
    }

    /// Asks `getaddrinfo`, which blocks.
    private static func lookUp(_ host: String, port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else { throw Self.failure(status) }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = Self.address(of: entry, host: host) {
                addresses.append(address)
            }
            next = entry.ai_next
        }
        guard !addresses.isEmpty else {
            throw HandshakeFailure(code: .nameNotFound, message: "the name has no address")
        }
        return addresses
    }

    private static func address(of entry: addrinfo, host: String) -> SocketAddress? {
        guard let raw = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET:
            return SocketAddress(raw.loadUnaligned(as: sockaddr_in.self), host: host)
        case AF_INET6:
            return SocketAddress(raw.loadUnaligned(as: sockaddr_in6.self), host: host)
        default:
            return nil
        }
    }

    private static func failure(_ status: Int32) -> HandshakeFailure {
        switch status {
        case EAI_NONAME:
            HandshakeFailure(code: .nameNotFound, message: "no such host")
        case EAI_AGAIN:
            HandshakeFailure(code: .other, message: "the name server does not answer now")
        default:
            HandshakeFailure(
                code: .nameNotFound,
                message: gai_strerror(status).map { String(cString: $0) } ?? "no address")
        }
    }
}

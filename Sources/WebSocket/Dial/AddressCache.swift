import NIOCore

/// Addresses of names for a few seconds: a thousand dials to one host ask for them once.
///
/// `getaddrinfo` does not tell how long an answer holds, so it is kept for
/// `WebSocketLimits.addressLifetime`. A look-up that failed is not kept.
struct AddressCache: Sendable {
    struct Key: Hashable, Sendable {
        var host: String
        var port: Int
    }

    private struct Entry: Sendable {
        var addresses: [SocketAddress]
        var until: NIODeadline
    }

    private let lifetime: TimeAmount
    private let limit: Int
    private var entries: [Key: Entry] = [:]

    /// - Parameters:
    ///   - lifetime: How long an answer is used.
    ///   - limit: Names kept; beyond, it starts anew.
    init(lifetime: Duration, limit: Int) {
        self.lifetime = TimeAmount(lifetime)
        self.limit = limit
    }

    func addresses(of key: Key, now: NIODeadline) -> [SocketAddress]? {
        guard let entry = self.entries[key], now < entry.until else { return nil }
        return entry.addresses
    }

    mutating func keep(_ addresses: [SocketAddress], of key: Key, now: NIODeadline) {
        if self.entries.count >= self.limit {
            self.entries = self.entries.filter { now < $1.until }
        }
        if self.entries.count >= self.limit { self.entries = [:] }
        self.entries[key] = Entry(addresses: addresses, until: now + self.lifetime)
    }
}

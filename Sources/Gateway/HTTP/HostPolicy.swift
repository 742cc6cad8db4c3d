/// Which `Host` and `Origin` are answered.
///
/// A web page can make a browser send requests anywhere. Two things keep pages out:
///
/// - `Origin` of another site is refused, so a page cannot call across sites.
/// - `Host` must be a name of this server. A page whose own name was made to resolve to this
///   address afterwards (DNS rebinding) is same-origin to the browser, but its name is in `Host`.
///   An address in `Host` cannot be rebound.
///
/// Beyond loopback with authentication any `Host` is fine: names there are many, and a rebound page
/// has no token, nor a certificate the browser would accept for its name. Where `allowedOrigins` is
/// given, it is the whole list.
struct HostPolicy: Sendable {
    private let bound: String
    private let isLoopback: Bool
    private let acceptsAnyHost: Bool
    private let allowed: [AllowedOrigin]

    enum Refusal: Sendable, Hashable {
        case missingHost
        case host(String)
        case origin(String)
    }

    init(bind: String, hasAuthentication: Bool, allowedOrigins: [String]) {
        bound = bind.lowercased()
        isLoopback = bind == "localhost" || bind == "::1" || bind.hasPrefix("127.")
        allowed = allowedOrigins.compactMap { AllowedOrigin($0) }
        acceptsAnyHost = !isLoopback && hasAuthentication && allowedOrigins.isEmpty
    }

    /// - Returns: `nil` if the request may go on.
    func refusal(host: String?, origin: String?) -> Refusal? {
        guard let host, !host.isEmpty else { return .missingHost }
        guard let name = HostName(host) else { return .host(host) }
        guard accepts(name) else { return .host(host) }
        if let origin, !accepts(origin: origin, host: host) { return .origin(origin) }
        return nil
    }

    /// One that may read answers: for the CORS headers.
    func isAllowed(origin: String) -> Bool {
        guard let parsed = AllowedOrigin(origin), parsed.scheme != nil else { return false }
        return allowed.contains { $0.matches(parsed) }
    }

    private func accepts(_ host: HostName) -> Bool {
        if acceptsAnyHost || ["localhost", "127.0.0.1", "::1"].contains(host.name) { return true }
        if host.name == bound || allowed.contains(where: { $0.host == host.name }) { return true }
        let isWildcard = bound == "0.0.0.0" || bound == "::"
        return isWildcard && host.isAddress
    }

    private func accepts(origin: String, host: String) -> Bool {
        if isAllowed(origin: origin) { return true }
        // The page came from here itself.
        return ["http://", "https://"].contains { origin.lowercased() == $0 + host.lowercased() }
    }
}

/// Name and port of a `Host` header.
struct HostName: Hashable {
    /// In lower case, without brackets.
    var name: String
    var port: Int?
    var isAddress: Bool

    init?(_ text: String) {
        var rest = text.lowercased()[...]
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            name = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
            isAddress = name.allSatisfy { $0.isHexDigit || ":.%".contains($0) }
            guard isAddress else { return nil }
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            name = String(rest[..<end])
            rest = rest[end...]
            if name.hasSuffix(".") { name.removeLast() }
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            isAddress = parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
        }
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !name.contains(where: { "/@?#\\".contains($0) })
        else { return nil }
        if rest.isEmpty { return }
        guard rest.first == ":", let number = UInt16(rest.dropFirst()) else { return nil }
        port = Int(number)
    }
}

/// An entry of `--allowed-origins`: an origin, or a host name for both schemes and every port.
struct AllowedOrigin: Sendable, Hashable {
    var scheme: String?
    var host: String
    /// With the scheme's own filled in.
    var port: Int?

    init?(_ text: String) {
        let lower = text.lowercased()
        var rest = lower[...]
        for known in ["http", "https"] where rest.hasPrefix("\(known)://") {
            scheme = known
            rest = rest.dropFirst(known.count + 3)
        }
        if scheme != nil, rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let name = HostName(String(rest)), name.name != "*" else { return nil }
        host = name.name
        port = name.port ?? scheme.map { $0 == "https" ? 443 : 80 }
    }

    func matches(_ origin: AllowedOrigin) -> Bool {
        guard host == origin.host else { return false }
        return scheme == nil ? port == nil || port == origin.port : self == origin
    }
}

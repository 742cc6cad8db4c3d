/// Where a connection dials, taken apart: what TCP, TLS and the upgrade request need.
///
/// Made only by ``parse(_:)``, so a value is always dialable in form.
package struct Endpoint: Sendable, Hashable {
    /// `wss`: TLS.
    package let isSecure: Bool
    /// A name in lower case, an IPv4 address, or an IPv6 address without brackets.
    package let host: String
    /// 1 to 65535.
    package let port: Int
    /// Path and query as the request line carries them, ASCII only, at least `/`.
    package let requestTarget: String

    private var bracketedHost: String { host.utf8.contains(0x3A) ? "[\(host)]" : host }
    private var defaultPort: Int { isSecure ? 443 : 80 }

    /// The value of the `Host` header: the port only where it is not the scheme's own.
    package var authority: String {
        port == defaultPort ? bracketedHost : hostPort
    }

    /// The key of dial budgets: `host:port`, the port always written.
    package var hostPort: String { "\(bracketedHost):\(port)" }

    /// Scheme, authority and path without the query, which may carry a secret; for events and logs.
    package var redacted: String {
        let path = requestTarget.prefix { $0 != "?" }
        return "\(isSecure ? "wss" : "ws")://\(authority)\(path)"
    }
}

/// Why a text is no URL of a WebSocket: a sentence an operator can act on, without the URL itself.
package struct EndpointError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String

    package var description: String { message }
}

extension Endpoint {
    /// In bytes.
    static let maxURLLength = 8192

    /// Takes a URL apart.
    ///
    /// `ws` or `wss`; a host (name, IPv4 or `[IPv6]`); a port from 1 to 65535; at most 8192 bytes; no
    /// fragment, user info, blanks or control characters. Characters of path and query beyond ASCII
    /// are percent-encoded.
    package static func parse(_ url: String) throws(EndpointError) -> Endpoint {
        try checkCharacters(url)
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else {
            throw EndpointError(message: "a URL starts with ws:// or wss://")
        }
        let isSecure = try readScheme(url[..<colon])
        let rest = url[url.index(colon, offsetBy: 3)...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else {
            throw EndpointError(
                message: "a URL carries no user info; send credentials in headers, by valueFrom")
        }
        let (host, port) = try readAuthority(authority)
        return Endpoint(
            isSecure: isSecure, host: try HostName.normalized(host),
            port: try port.map(readPort) ?? (isSecure ? 443 : 80),
            requestTarget: requestTarget(rest[authority.endIndex...]))
    }

    private static func checkCharacters(_ url: String) throws(EndpointError) {
        guard !url.isEmpty else { throw EndpointError(message: "a URL is empty") }
        guard url.utf8.count <= maxURLLength else {
            throw EndpointError(message: "a URL has at most \(maxURLLength) bytes")
        }
        for scalar in url.unicodeScalars {
            if CharacterRules.isControl(scalar) {
                throw EndpointError(message: "a URL has no control characters")
            }
            if scalar == " " || (scalar.value > 0x7F && scalar.properties.isWhitespace) {
                throw EndpointError(message: "a URL has no blanks; write %20")
            }
            if scalar == "#" {
                throw EndpointError(
                    message: "a URL of a WebSocket has no fragment; write %23 for \"#\"")
            }
            if scalar == "\\" { throw EndpointError(message: "a URL has \"/\", not \"\\\"") }
        }
    }

    private static func readScheme(_ scheme: Substring) throws(EndpointError) -> Bool {
        switch scheme.lowercased() {
        case "ws": return false
        case "wss": return true
        case "http": throw EndpointError(message: "the scheme is ws or wss; use ws:// for http://")
        case "https":
            throw EndpointError(message: "the scheme is ws or wss; use wss:// for https://")
        default: throw EndpointError(message: "the scheme is ws or wss")
        }
    }

    private static func readAuthority(
        _ authority: Substring
    ) throws(EndpointError) -> (host: Substring, port: Substring?) {
        guard !authority.isEmpty else { throw EndpointError(message: "a URL needs a host") }
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else {
                throw EndpointError(message: "the IPv6 address lacks its \"]\"")
            }
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else {
                throw EndpointError(
                    message: "after the IPv6 address comes \":\" and a port, or \"/\"")
            }
            return (authority[...end], rest.isEmpty ? nil : rest.dropFirst())
        }
        guard let colon = authority.firstIndex(of: ":") else { return (authority, nil) }
        let port = authority[authority.index(after: colon)...]
        guard !port.contains(":") else {
            throw EndpointError(
                message: "an IPv6 address stands in brackets, as in ws://[::1]:8080/")
        }
        guard colon > authority.startIndex else {
            throw EndpointError(message: "a URL needs a host")
        }
        return (authority[..<colon], port)
    }

    private static func readPort(_ text: Substring) throws(EndpointError) -> Int {
        guard !text.isEmpty else { throw EndpointError(message: "the port after \":\" is missing") }
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), text.utf8.count <= 5,
            let port = Int(text), (1...65535).contains(port)
        else {
            throw EndpointError(message: "the port is a number from 1 to 65535")
        }
        return port
    }

    private static func requestTarget(_ pathAndQuery: Substring) -> String {
        var target = pathAndQuery.first == "/" ? "" : "/"
        guard !pathAndQuery.utf8.allSatisfy({ $0 < 0x80 }) else { return target + pathAndQuery }
        for byte in pathAndQuery.utf8 {
            if byte < 0x80 {
                target.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                target += "%" + String(byte, radix: 16, uppercase: true)
            }
        }
        return target
    }
}

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
        guard !url.isEmpty else { throw EndpointError(message: "a URL is empty") }
        guard url.utf8.count <= maxURLLength else {
            throw EndpointError(message: "a URL has at most \(maxURLLength) bytes")
        }
        try checkCharacters(url)
        return try url.withBytes { bytes throws(EndpointError) in try parse(bytes) }
    }

    private static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(EndpointError) -> Endpoint {
        let colon = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
        let start = colon + 3
        guard start <= bytes.count, bytes[colon + 1] == 0x2F, bytes[colon + 2] == 0x2F else {
            throw EndpointError(message: "a URL starts with ws:// or wss://")
        }
        let isSecure = try readScheme(text(bytes[..<colon]))
        let end =
            bytes[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            ?? bytes.count
        let authority = bytes[start..<end]
        guard !authority.contains(UInt8(ascii: "@")) else {
            throw EndpointError(
                message: "a URL carries no user info; send credentials in headers, by valueFrom")
        }
        let (host, port) = try split(authority)
        return Endpoint(
            isSecure: isSecure, host: try HostName.normalized(host),
            port: try port.map(readPort) ?? (isSecure ? 443 : 80),
            requestTarget: requestTarget(bytes[end...]))
    }

    private static func text(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes), as: UTF8.self)
    }

    private static func checkCharacters(_ url: String) throws(EndpointError) {
        guard !url.utf8.allSatisfy(isPlain) else { return }
        for scalar in url.unicodeScalars {
            if CharacterRules.isControl(scalar) {
                throw EndpointError(message: "a URL has no control characters")
            }
            if CharacterRules.isBlank(scalar) {
                throw EndpointError(message: "a URL has no blanks; write %20")
            }
            if scalar == "#" {
                throw EndpointError(
                    message: "a URL of a WebSocket has no fragment; write %23 for \"#\"")
            }
            if scalar == "\\" { throw EndpointError(message: "a URL has \"/\", not \"\\\"") }
        }
    }

    /// In ASCII, visible, and allowed; nearly every URL has nothing else.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "#") && byte != UInt8(ascii: "\\")
    }

    private static func readScheme(_ scheme: String) throws(EndpointError) -> Bool {
        switch scheme.lowercased() {
        case "ws": return false
        case "wss": return true
        case "http": throw EndpointError(message: "the scheme is ws or wss; use ws:// for http://")
        case "https":
            throw EndpointError(message: "the scheme is ws or wss; use wss:// for https://")
        default: throw EndpointError(message: "the scheme is ws or wss")
        }
    }

    /// Host, with the brackets of an IPv6 address, and port.
    private static func split(
        _ authority: Slice<UnsafeBufferPointer<UInt8>>
    ) throws(EndpointError) -> (host: String, port: String?) {
        var end = authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.endIndex
        if authority.first == UInt8(ascii: "[") {
            guard let bracket = authority.firstIndex(of: UInt8(ascii: "]")) else {
                throw EndpointError(message: "the IPv6 address lacks its \"]\"")
            }
            end = bracket + 1
        }
        guard end > authority.startIndex else {
            throw EndpointError(message: "a URL needs a host")
        }
        let rest = authority[end...]
        guard !rest.isEmpty else { return (text(authority), nil) }
        guard rest.first == UInt8(ascii: ":") else {
            throw EndpointError(
                message: "after the IPv6 address comes \":\" and a port, or \"/\"")
        }
        guard !rest.dropFirst().contains(UInt8(ascii: ":")) else {
            throw EndpointError(
                message: "an IPv6 address stands in brackets, as in ws://[::1]:8080/")
        }
        return (text(authority[..<end]), text(rest.dropFirst()))
    }

    private static func readPort(_ text: String) throws(EndpointError) -> Int {
        guard !text.isEmpty else {
            throw EndpointError(message: "the port after \":\" is missing")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), text.utf8.count <= 5,
            let port = Int(text), (1...65535).contains(port)
        else {
            throw EndpointError(message: "the port is a number from 1 to 65535")
        }
        return port
    }

    private static func requestTarget(_ rest: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        let slash = rest.first == UInt8(ascii: "/") ? "" : "/"
        guard !rest.allSatisfy({ $0 < 0x80 }) else { return slash + text(rest) }
        var target = slash
        for byte in rest {
            if byte < 0x80 {
                target.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                target += "%" + String(byte, radix: 16, uppercase: true)
            }
        }
        return target
    }
}

/// Where one of the two ports of a sidecar is.
///
/// Read from a port alone, or from the forms that Dapr's SDKs take in `DAPR_GRPC_ENDPOINT` and
/// `DAPR_HTTP_ENDPOINT`: `host`, `host:port`, `[::1]:port`, with `http://`, `https://`, `grpc://`,
/// `grpcs://` or `dns:` before them and `?tls=true` behind; `unix:PATH`.
package struct DaprEndpoint: Sendable, Hashable, CustomStringConvertible {
    package enum Place: Sendable, Hashable {
        /// A name or an address; IPv6 without brackets.
        case host(String, port: Int)
        case socket(path: String)
    }

    package var place: Place
    package var usesTLS: Bool

    /// Why a text is no endpoint; goes on from `NAME is TEXT: `.
    package struct Malformed: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String
    }

    /// A port of this machine.
    package static func loopback(port: Int) -> DaprEndpoint {
        DaprEndpoint(place: .host("127.0.0.1", port: port), usesTLS: false)
    }

    package init(place: Place, usesTLS: Bool) {
        self.place = place
        self.usesTLS = usesTLS
    }

    /// - Parameter plainPort: what a text without a port means; with TLS it is 443.
    package init(_ text: String, plainPort: Int) throws(Malformed) {
        var rest = Substring(text)
        var usesTLS = false
        if let path = Self.path(&rest) {
            guard !path.isEmpty else { throw Malformed(description: "it names no socket") }
            self.init(place: .socket(path: path), usesTLS: false)
            return
        }
        if let query = rest.firstIndex(of: "?") {
            usesTLS = try Self.tls(rest[rest.index(after: query)...])
            rest = rest[..<query]
        }
        switch Self.scheme(&rest) {
        case "https", "grpcs": usesTLS = true
        case "http", "grpc", "dns", nil: break
        case .some(let scheme):
            throw Malformed(
                description: "\(scheme) is no scheme of an endpoint; use http, https, dns or unix")
        }
        if rest.hasSuffix("/") { rest.removeLast() }
        guard !rest.contains("/") else {
            throw Malformed(description: "it must be a host and a port, without a path")
        }
        let (host, port) = try Self.hostAndPort(rest)
        self.init(
            place: .host(host, port: port ?? (usesTLS ? 443 : plainPort)), usesTLS: usesTLS)
    }

    package var description: String {
        switch place {
        case .host(let host, let port):
            (usesTLS ? "https://" : "") + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
        case .socket(let path): "unix:" + path
        }
    }

    private static func path(_ text: inout Substring) -> String? {
        for prefix in ["unix://", "unix:"] where text.hasPrefix(prefix) {
            return String(text.dropFirst(prefix.count))
        }
        return nil
    }

    private static func scheme(_ text: inout Substring) -> String? {
        if let range = text.firstRange(of: "://") {
            let scheme = String(text[..<range.lowerBound]).lowercased()
            text = text[range.upperBound...]
            // `dns://SERVER/host` names a server of names; `dns:///host` leaves it to the system.
            if scheme == "dns", text.hasPrefix("/") { text.removeFirst() }
            return scheme
        }
        guard text.hasPrefix("dns:") else { return nil }
        text = text.dropFirst("dns:".count)
        return "dns"
    }

    private static func tls(_ query: Substring) throws(Malformed) -> Bool {
        switch query {
        case "tls=true": return true
        case "tls=false": return false
        default:
            throw Malformed(description: "after ? only tls=true or tls=false can stand")
        }
    }

    private static func hostAndPort(_ text: Substring) throws(Malformed) -> (String, Int?) {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else {
                throw Malformed(description: "the bracket before the address is not closed")
            }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else {
                throw Malformed(description: "after the address only a port can stand")
            }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty, !host.contains(where: \.isWhitespace) else {
            throw Malformed(description: "it names no host")
        }
        guard let port else { return (String(host), nil) }
        guard let number = Int(port), (1...65_535).contains(number) else {
            throw Malformed(description: "\(port) is no port; it must be 1 to 65535")
        }
        return (String(host), number)
    }
}

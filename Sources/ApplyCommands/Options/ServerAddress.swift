internal import ArgumentParser
internal import GRPCNIOTransportHTTP2Posix

/// Where the server listens: `HOST:PORT`, where HOST is a name, an IPv4 or an `[IPv6]` address.
struct ServerAddress: Sendable, Equatable, CustomStringConvertible {
    let host: String
    /// 1 to 65535.
    let port: Int

    static let standard = ServerAddress(host: "127.0.0.1", port: 5002)

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT` or `HOST`, whose port is 5002; `nil` where the text is neither.
    init?(_ text: String) {
        var host = Substring(text)
        var port = Substring(String(Self.standard.port))
        if host.first == "[", let end = host.firstIndex(of: "]") {
            let rest = host[host.index(after: end)...]
            host = host[host.index(after: host.startIndex)..<end]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if let colon = host.lastIndex(of: ":") {
            port = host[host.index(after: colon)...]
            host = host[..<colon]
            guard !host.contains(":") else { return nil }
        }
        guard !host.isEmpty, !host.contains(where: { "/@[] \t".contains($0) }) else { return nil }
        guard let number = Int(port), (1...65535).contains(number), port.first != "+" else {
            return nil
        }
        self.init(host: String(host), port: number)
    }

    var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// An address is no name to look up, nor one that a TLS handshake may ask for.
    var target: any ResolvableTarget {
        if host.contains(":") { return .ipv6(address: host, port: port) }
        return isIPv4 ? .ipv4(address: host, port: port) : .dns(host: host, port: port)
    }

    /// What is sent there does not leave this machine.
    var isLoopback: Bool {
        host == "localhost" || host == "::1" || (isIPv4 && host.hasPrefix("127."))
    }

    private var isIPv4: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil && $0.first != "+" }
    }
}

extension ServerAddress: ExpressibleByArgument {
    init?(argument: String) {
        self.init(argument)
    }
}

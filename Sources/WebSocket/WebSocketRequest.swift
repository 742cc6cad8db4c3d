package import NIOCore

/// Everything one dial needs, already resolved: no references, no secrets left to fetch.
///
/// The headers are sent as given. A request whose host, target, header or subprotocol would break
/// the HTTP request apart is refused by the dial with `invalidRequest`, before a socket is opened.
package struct WebSocketRequest: Sendable {
    /// `wss` when true, `ws` otherwise.
    package var isSecure: Bool
    /// The host to connect to: a name or an IP literal without brackets.
    package var host: String
    /// 1-65535.
    package var port: Int
    /// What goes into the `Host` header, for example `example.com:8443` or `[::1]:9100`.
    package var authority: String
    /// The path with its query, beginning with `/`.
    package var requestTarget: String
    /// Further request headers in the order they are sent.
    package var headers: [(name: String, value: String)]
    /// The subprotocols offered, in order of preference.
    package var subprotocols: [String]
    /// Whether a server that chooses no subprotocol fails the dial.
    package var requireSubprotocol: Bool
    /// What is offered about compressed messages; nil offers nothing.
    package var compression: CompressionOptions?
    /// Used when `isSecure`.
    package var tls: TLSOptions
    package var timeouts: DialTimeouts
    /// The largest message accepted, in bytes, at least 1; a larger one ends the connection (1009).
    package var maxMessageSize: Int
    /// How long a closing handshake waits for the peer's close frame.
    package var closeTimeout: Duration
    /// Asked for each address the host stands for, on the dial's loop, before a socket is made to
    /// that very address; a sentence refuses it. The host is looked up once in a dial, so what was
    /// asked about is what is connected to. Nil lets every address pass.
    package var addressFilter: (@Sendable (SocketAddress) -> String?)?
    /// Asked on the dial's loop right before each connect and again before the upgrade request is
    /// written; false ends the dial with `notPermitted`. Nil lets every dial go on.
    package var permit: (@Sendable () -> Bool)?

    package init(
        isSecure: Bool = false,
        host: String,
        port: Int,
        authority: String,
        requestTarget: String = "/",
        headers: [(name: String, value: String)] = [],
        subprotocols: [String] = [],
        requireSubprotocol: Bool = false,
        compression: CompressionOptions? = nil,
        tls: TLSOptions = TLSOptions(),
        timeouts: DialTimeouts = DialTimeouts(),
        maxMessageSize: Int = 1 << 20,
        closeTimeout: Duration = .seconds(5),
        addressFilter: (@Sendable (SocketAddress) -> String?)? = nil,
        permit: (@Sendable () -> Bool)? = nil
    ) {
        self.permit = permit
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.authority = authority
        self.requestTarget = requestTarget
        self.headers = headers
        self.subprotocols = subprotocols
        self.requireSubprotocol = requireSubprotocol
        self.compression = compression
        self.tls = tls
        self.timeouts = timeouts
        self.maxMessageSize = maxMessageSize
        self.closeTimeout = closeTimeout
        self.addressFilter = addressFilter
    }
}

/// How a secure connection is made; equal options share one TLS context.
package struct TLSOptions: Sendable, Hashable {
    /// The oldest TLS version accepted.
    package enum MinimumVersion: Sendable, Hashable {
        case v12
        case v13
    }

    /// PEM certificates that replace the system's roots.
    package var caPEM: [UInt8]?
    /// PEM certificate chain of the client, leaf first; together with `keyPEM`.
    package var certPEM: [UInt8]?
    /// PEM private key of the client.
    package var keyPEM: [UInt8]?
    /// The name for SNI and verification; the request's host when nil.
    package var serverName: String?
    package var minVersion: MinimumVersion
    /// Accept any certificate for any name.
    package var insecureSkipVerify: Bool

    package init(
        caPEM: [UInt8]? = nil,
        certPEM: [UInt8]? = nil,
        keyPEM: [UInt8]? = nil,
        serverName: String? = nil,
        minVersion: MinimumVersion = .v12,
        insecureSkipVerify: Bool = false
    ) {
        self.caPEM = caPEM
        self.certPEM = certPEM
        self.keyPEM = keyPEM
        self.serverName = serverName
        self.minVersion = minVersion
        self.insecureSkipVerify = insecureSkipVerify
    }
}

/// A deadline for each phase of a dial and one for the whole.
package struct DialTimeouts: Sendable, Hashable {
    /// From the name to the 101.
    package var dial: Duration
    package var resolve: Duration
    /// All addresses together.
    package var connect: Duration
    package var tls: Duration
    /// From the request written to the 101 read.
    package var upgrade: Duration

    package init(
        dial: Duration = .seconds(20),
        resolve: Duration = .seconds(5),
        connect: Duration = .seconds(5),
        tls: Duration = .seconds(10),
        upgrade: Duration = .seconds(10)
    ) {
        self.dial = dial
        self.resolve = resolve
        self.connect = connect
        self.tls = tls
        self.upgrade = upgrade
    }
}

package import NIOCore

/// What the HTTP port is started with.
package struct GatewayConfiguration: Sendable {
    /// An address; `localhost` is 127.0.0.1.
    package var host: String
    /// 0 takes a free one.
    package var port: Int
    /// Origins (`https://wsm.example.com`) and names for `Host` that are answered beside the own.
    package var allowedOrigins: [String] = []
    /// Callers are known by token or certificate.
    package var hasAuthentication = false
    /// Makes a new connection a TLS one: puts the handlers for it into its empty pipeline, on its
    /// event loop. Asked each time, so that a new certificate counts from the next connection on;
    /// `nil` is plaintext.
    package var secure: (@Sendable (any Channel) throws -> Void)?

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Cannot be started with this.
    package struct Invalid: Error, CustomStringConvertible {
        package var description: String
    }

    /// - Throws: ``Invalid`` naming the flag.
    package func validate() throws(Invalid) {
        guard (0...65_535).contains(port) else {
            throw Invalid(description: "--http-port is \(port): it must be 1 to 65535")
        }
        for origin in allowedOrigins where AllowedOrigin(origin) == nil {
            throw Invalid(
                description: "--allowed-origins: \(Quoted(origin)) is neither an origin such as "
                    + "https://wsm.example.com nor a host name")
        }
    }
}

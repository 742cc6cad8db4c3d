import NIOCore
import NIOPosix
import NIOSSL

/// Opens connections for calls to one sidecar.
struct CallDialer: Sendable {
    private let endpoint: DaprEndpoint
    private let tls: NIOSSLContext?

    /// - Parameter configuration: Of TLS, if the endpoint uses it; by itself it trusts the system's
    ///   roots.
    /// - Throws: if TLS cannot be set up.
    init(
        _ endpoint: DaprEndpoint,
        configuration: TLSConfiguration = .makeClientConfiguration()
    ) throws {
        self.endpoint = endpoint
        guard endpoint.usesTLS else {
            tls = nil
            return
        }
        var configuration = configuration
        configuration.applicationProtocols = ["h2"]
        tls = try NIOSSLContext(configuration: configuration)
    }

    /// - Parameter handler: Makes the last handler of the channel, on the event loop.
    func dial(
        on eventLoop: any EventLoop, _ handler: @escaping @Sendable () -> any ChannelHandler
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(CallTimes.connect)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: endpoint.serverName))
                    }
                    try pipeline.addHandler(handler())
                }
            }
        return switch endpoint.place {
        case .host(let host, let port): bootstrap.connect(host: host, port: port)
        case .socket(let path): bootstrap.connect(unixDomainSocketPath: path)
        }
    }

    /// What the system said, out of the attempts at each address.
    static func cause(of error: any Error) -> any Error {
        guard let error = error as? NIOConnectionError else { return error }
        return error.connectionErrors.first?.error ?? error.dnsAError ?? error.dnsAAAAError ?? error
    }
}

extension DaprEndpoint {
    /// What a request names as its host.
    var authority: String {
        guard case .host(let host, let port) = place else { return "localhost" }
        return (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
    }

    /// No name for an address: it is none that a certificate server could be chosen by.
    var serverName: String? {
        guard case .host(let host, _) = place, (try? SocketAddress(ipAddress: host, port: 0)) == nil
        else { return nil }
        return host
    }
}

import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// One TLS context for all dials with equal options.
///
/// A context holds the parsed roots: with the system's it takes milliseconds to make and hundreds
/// of kilobytes to keep, so it is made once, off the loop, and shared by every connection.
final class TLSContextCache: Sendable {
    private let group: any EventLoopGroup
    private let contexts = Mutex<[TLSOptions: EventLoopFuture<NIOSSLContext>]>([:])

    init(group: any EventLoopGroup) {
        self.group = group
    }

    /// The context for the options, made if need be; fails with a `HandshakeFailure`.
    func context(for options: TLSOptions, on loop: any EventLoop) -> EventLoopFuture<NIOSSLContext>
    {
        // The name is of the connection, not of the context.
        var options = options
        options.serverName = nil
        let key = options
        let (future, toMake) = self.contexts.withLock { contexts in
            if let known = contexts[key] { return (known, EventLoopPromise<NIOSSLContext>?.none) }
            if contexts.count >= WebSocketLimits.cachedTLSContexts { contexts.removeAll() }
            let promise = self.group.any().makePromise(of: NIOSSLContext.self)
            contexts[key] = promise.futureResult
            return (promise.futureResult, promise)
        }
        if let toMake {
            NIOSingletons.posixBlockingThreadPool.submit { _ in
                let result = Result { try Self.make(key) }
                if case .failure = result {
                    self.contexts.withLock { _ = $0.removeValue(forKey: key) }
                }
                toMake.completeWith(result)
            }
        }
        return future.hop(to: loop)
    }

    private static func make(_ options: TLSOptions) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        configuration.minimumTLSVersion = options.minVersion == .v13 ? .tlsv13 : .tlsv12
        configuration.certificateVerification =
            options.insecureSkipVerify ? .none : .fullVerification
        if let pem = options.caPEM {
            configuration.trustRoots = .certificates(try Self.certificates(pem, "CA"))
        }
        if let pem = options.certPEM {
            configuration.certificateChain = try Self.certificates(pem, "client certificate")
                .map { .certificate($0) }
        }
        if let pem = options.keyPEM {
            guard let key = try? NIOSSLPrivateKey(bytes: pem, format: .pem) else {
                throw Self.unusable("the client key is not a PEM private key")
            }
            configuration.privateKey = .privateKey(key)
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw Self.unusable("TLS cannot be set up: \(TLSFailure.text(of: error))")
        }
    }

    private static func certificates(_ pem: [UInt8], _ what: String) throws -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(pem), !certificates.isEmpty
        else {
            throw Self.unusable("the \(what) is not PEM with certificates")
        }
        return certificates
    }

    private static func unusable(_ message: String) -> HandshakeFailure {
        HandshakeFailure(code: .invalidRequest, message: message)
    }
}

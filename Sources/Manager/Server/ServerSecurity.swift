package import Access
package import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import Logging
import NIOCore
import NIOPosix

/// Who may enter one server: its token file and certificates, kept up to date, and what the two
/// ports need of them.
package final class ServerSecurity: Sendable {
    /// How a check of the server as a whole is set: its name, whether it is well, one word, one
    /// sentence, and whether readiness depends on it.
    package typealias Report =
        @Sendable (
            _ name: String, _ ok: Bool, _ reason: String, _ message: String, _ advisory: Bool
        ) -> Void

    /// Time between two looks at the files. Whoever wants a change in force at once sends SIGHUP.
    static let pollInterval: Duration = .seconds(2)

    package let files: AccessFiles
    /// Decides for both ports.
    package let control: AccessControl
    package let audit: AuditLog
    private let isOpen: Bool
    private let logger: Logger
    private let report: Report
    private let sleep: @Sendable (Duration) async throws -> Void

    /// Reads the files.
    ///
    /// - Throws: ``AccessFileError`` naming flag and file.
    package init(
        _ configuration: ServerConfiguration, logger: Logger, report: @escaping Report,
        sleep: @escaping @Sendable (Duration) async throws -> Void = {
            try await Task.sleep(for: $0)
        }
    ) throws {
        var paths = AccessFiles.Paths()
        paths.tokenFile = configuration.tokenFile
        paths.certificate = configuration.tlsCertificatePath
        paths.key = configuration.tlsKeyPath
        paths.clientCA = configuration.clientCAPath
        paths.peerTokenFile = configuration.peerTokenFile
        paths.peerCA = configuration.peerCAPath
        files = try AccessFiles(paths: paths)
        audit = AuditLog(logger: logger)
        control = AccessControl(
            files: files, audit: audit, peers: configuration.peerAdmission)
        isOpen = configuration.isOpen
        self.logger = logger
        self.report = report
        self.sleep = sleep
    }

    /// Of the server that the network reaches, the outermost first.
    package var networkInterceptors: [any ServerInterceptor] {
        [AccessInterceptor(.network(control), audit: audit), ReaderMasking()]
    }

    /// Of the in-process server behind the gateway, which must send ``Caller/metadata`` along with
    /// each call.
    package var gatewayInterceptors: [any ServerInterceptor] {
        [AccessInterceptor(.gateway, audit: audit), ReaderMasking()]
    }

    /// Makes each new connection a TLS one, where the server has a certificate.
    ///
    /// The transport's own TLS settings are read once and know no optional client certificate;
    /// a handler that goes in first sees the files as they are when the connection comes.
    func secure(_ config: inout HTTP2ServerTransport.Posix.Config) {
        guard files.usesTLS else { return }
        config.channelDebuggingCallbacks.onAcceptTCPConnection = { [files] channel in
            channel.eventLoop.makeCompletedFuture {
                try files.secure(channel, for: .grpc)
            }
        }
    }

    /// Looks at the files until the task is cancelled.
    package func run() async {
        announce()
        while hasFiles, !Task.isCancelled {
            await reload()
            do { try await sleep(Self.pollInterval) } catch { return }
        }
    }

    /// Reads the files again and tells of what changed.
    package func reload() async {
        guard hasFiles else { return }
        let files = files
        let changes: [AccessFiles.Change]
        do {
            changes = try await NIOThreadPool.singleton.runIfActive { files.reload() }
        } catch {
            // The process ends.
            return
        }
        for change in changes { tell(change) }
        let faults = files.faults
        report(
            "access", faults.isEmpty, faults.isEmpty ? "Current" : "FilesBroken",
            faults.isEmpty
                ? "tokens and certificates are those of the files"
                : faults.joined(separator: "; ") + "; what was read before stays in force", true)
    }

    private var hasFiles: Bool {
        files.usesTLS || files.tellsCallersApart || files.paths.peerTokenFile != nil
    }

    private func announce() {
        guard isOpen else { return }
        // A token file without TLS is what is left where callers are told apart.
        let (reason, sentence) =
            files.tellsCallersApart
            ? (
                "PlainText",
                "tokens and all else travel in plain text (--insecure): use --tls-cert and --tls-key"
            )
            : (
                "Open",
                "everybody who reaches the address may read and change everything (--insecure): "
                    + "use --tls-cert and --tls-key with --token-file or --client-ca"
            )
        logger.warning("the server is not secure", metadata: ["why": "\(sentence)"])
        report("insecure", false, reason, sentence, true)
    }

    private func tell(_ change: AccessFiles.Change) {
        switch change {
        case .reloaded(let paths):
            logger.notice(
                "access files were read again",
                metadata: ["files": "\(paths.joined(separator: ","))"])
        case .failed(let sentence):
            logger.error(
                "an access file is broken; what it said before stays in force",
                metadata: ["problem": "\(sentence)"])
        case .warning(let sentence):
            logger.warning("an access file is not safe", metadata: ["problem": "\(sentence)"])
        }
    }
}

import Synchronization

/// The files that decide who may enter: tokens, the server's certificate and key, the authorities
/// of clients. Read at the start and again whenever somebody calls ``reload()``.
///
/// Calls and connections that are there live on; what is new sees the new files. A file that became
/// unreadable or wrong changes nothing: what it said last stays in force, and the fault is told.
package final class AccessFiles: Sendable {
    package struct Paths: Sendable, Hashable {
        package var tokenFile: String?
        /// The server's certificate chain and key, PEM; both or none.
        package var certificate: String?
        package var key: String?
        /// The authorities of client certificates, PEM.
        package var clientCA: String?
        /// The secret that the instances of a cluster share.
        package var peerTokenFile: String?
        /// The authorities that certificates of other instances come from, PEM. `nil` takes those
        /// of the system, and then the name in the certificate has to be that of the address.
        package var peerCA: String?

        package init() {}
    }

    /// What reading the files again has come to. Each fact is told once, not at every reading.
    package enum Change: Sendable, Hashable {
        /// These files are in force now.
        case reloaded([String])
        /// The sentence names the file; what was in force before still is.
        case failed(String)
        case warning(String)
    }

    package let paths: Paths
    private let read: @Sendable (String) throws(FileProblem) -> FileContent
    /// Held while files are read, by whoever reads them; no call waits for it.
    private let reader: Mutex<Reader>
    private let current: Mutex<Current>

    private struct Reader: Sendable {
        var tokens: ReloadedFiles<TokenTable>?
        var tls: ReloadedFiles<TLSMaterial>?
        var peers: ReloadedFiles<PeerTokens>?
        var peerCA: ReloadedFiles<[UInt8]>?
        /// How often ``tls`` or ``peerCA`` has changed.
        var changes: UInt64 = 0
        /// For the next ``reload()`` to tell: warnings of the first reading.
        var untold: [Change] = []

        var current: Current {
            Current(
                tokens: tokens?.value, tls: tls?.value, peers: peers?.value,
                peerCA: peerCA?.value, changes: changes,
                faults: [tokens?.fault, tls?.fault, peers?.fault, peerCA?.fault]
                    .compactMap { $0 })
        }
    }

    /// What is in force.
    private struct Current: Sendable {
        var tokens: TokenTable?
        var tls: TLSMaterial?
        var peers: PeerTokens?
        var peerCA: [UInt8]?
        var changes: UInt64
        var faults: [String]
    }

    /// Reads everything once.
    ///
    /// - Parameter read: How a file is read; blocks.
    /// - Throws: ``AccessFileError`` naming the flag and the file.
    package convenience init(paths: Paths) throws {
        try self.init(paths: paths, read: FileContent.read)
    }

    init(
        paths: Paths, read: @escaping @Sendable (String) throws(FileProblem) -> FileContent
    ) throws {
        self.paths = paths
        self.read = read
        var first = Reader()
        if let path = paths.tokenFile {
            first.tokens = try ReloadedFiles(
                [("--token-file", path)], read: read, make: Self.tokens)
        }
        if let certificate = paths.certificate, let key = paths.key {
            var files = [("--tls-cert", certificate), ("--tls-key", key)]
            if let clientCA = paths.clientCA { files.append(("--client-ca", clientCA)) }
            let isTokenEnough = paths.tokenFile != nil
            first.tls = try ReloadedFiles(files, read: read) {
                contents throws(AccessFileError) in
                try Self.tls(contents, isTokenEnough: isTokenEnough)
            }
        }
        if let path = paths.peerTokenFile {
            first.peers = try ReloadedFiles(
                [("--peer-token-file", path)], read: read, make: Self.peerTokens)
        }
        if let path = paths.peerCA {
            first.peerCA = try ReloadedFiles(
                [("--peer-ca", path)], read: read, make: Self.peerCA)
        }
        first.untold =
            (first.tokens?.warnings ?? []) + (first.tls?.warnings ?? [])
            + (first.peers?.warnings ?? [])
        current = Mutex(first.current)
        reader = Mutex(first)
    }

    /// Callers need a token or a certificate. Elsewhere everybody is admitted to everything.
    package var tellsCallersApart: Bool { paths.tokenFile != nil || hasClientAuthorities }
    var hasClientAuthorities: Bool { paths.clientCA != nil && usesTLS }
    package var usesTLS: Bool { paths.certificate != nil && paths.key != nil }

    var tokens: TokenTable? { current.withLock { $0.tokens } }
    var tls: TLSMaterial? { current.withLock { $0.tls } }
    /// Of `--peer-token-file`, as it is now.
    package var peerTokens: PeerTokens? { current.withLock { $0.peers } }
    /// Of `--peer-ca`, PEM, as it is now.
    package var peerCA: [UInt8]? { current.withLock { $0.peerCA } }
    /// Another number than before means that what a connection to a peer is made with has changed.
    package var tlsVersion: UInt64 { current.withLock { $0.changes } }

    /// Faults that stand: files whose newest content is not in force. Empty is good.
    package var faults: [String] { current.withLock { $0.faults } }

    /// Reads the files again and takes over what changed. Blocks on the file system.
    ///
    /// The files are read whole each time: they are a few kilobytes, and a file can change without
    /// its time stamp or size telling of it.
    package func reload() -> [Change] {
        reader.withLock { reader in
            var changes = reader.untold
            reader.untold = []
            changes += reader.tokens?.reload(read) ?? []
            let tls = (reader.tls?.reload(read) ?? []) + (reader.peerCA?.reload(read) ?? [])
            if tls.contains(where: { if case .reloaded = $0 { true } else { false } }) {
                reader.changes += 1
            }
            changes += tls
            changes += reader.peers?.reload(read) ?? []
            let newest = reader.current
            current.withLock { $0 = newest }
            return changes
        }
    }

    private static func tokens(
        _ files: [FileContent]
    ) throws(AccessFileError) -> (TokenTable, warnings: [String]) {
        let file = files[0]
        do throws(TokenFile.Invalid) {
            let content = try TokenFile.parse(file.bytes)
            var warnings: [String] = []
            if content.holdsSecrets, file.isReadableByOthers {
                warnings.append("others can read it: chmod 600, or write sha256: digests")
            }
            return (content.table, warnings)
        } catch {
            throw AccessFileError(file: 0, message: "\(error)")
        }
    }

    private static func peerTokens(
        _ files: [FileContent]
    ) throws(AccessFileError) -> (PeerTokens, warnings: [String]) {
        do throws(TokenFile.Invalid) {
            return (
                try PeerTokens(parsing: files[0].bytes),
                files[0].isReadableByOthers ? ["others can read it: chmod 600"] : []
            )
        } catch {
            throw AccessFileError(file: 0, message: "\(error)")
        }
    }

    private static func peerCA(
        _ files: [FileContent]
    ) throws(AccessFileError) -> ([UInt8], warnings: [String]) {
        try TLSMaterial.checkCertificates(files[0].bytes, file: 0)
        return (files[0].bytes, [])
    }

    private static func tls(
        _ files: [FileContent], isTokenEnough: Bool
    ) throws(AccessFileError) -> (TLSMaterial, warnings: [String]) {
        let material = try TLSMaterial(
            certificate: files[0].bytes, key: files[1].bytes,
            clientCA: files.count > 2 ? files[2].bytes : nil, isTokenEnough: isTokenEnough)
        return (material, files[1].isReadableByOthers ? ["others can read the key: chmod 600"] : [])
    }
}

/// Why a file cannot be used.
package struct AccessFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Which of the files read together.
    var file: Int
    package var message: String
    /// `--flag PATH`, filled in by who knows the paths.
    var place = ""
    /// The file system said no, as against the content being wrong.
    var isUnreadable = false

    init(file: Int, message: String) {
        self.file = file
        self.message = message
    }

    package var description: String { "\(place): \(message)" }
}

import Crypto
import Foundation
import Logging
import SwiftASN1
import Synchronization
import X509

@testable import Access

/// Files in memory, by path.
final class FakeFiles: Sendable {
    private let contents = Mutex<[String: FileContent]>([:])

    subscript(path: String) -> String? {
        get { contents.withLock { $0[path].map { String(decoding: $0.bytes, as: UTF8.self) } } }
        set {
            contents.withLock {
                $0[path] = newValue.map {
                    FileContent(bytes: Array($0.utf8), isReadableByOthers: false)
                }
            }
        }
    }

    func letOthersRead(_ path: String) {
        contents.withLock { $0[path]?.isReadableByOthers = true }
    }

    func read(_ path: String) throws(FileProblem) -> FileContent {
        guard let content = contents.withLock({ $0[path] }) else {
            throw FileProblem(message: "No such file or directory")
        }
        return content
    }

    func open(_ configure: (inout AccessFiles.Paths) -> Void) throws -> AccessFiles {
        var paths = AccessFiles.Paths()
        configure(&paths)
        return try AccessFiles(paths: paths) { path throws(FileProblem) in
            try self.read(path)
        }
    }
}

/// Certificates made in the process.
struct TestAuthority {
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let certificate: Certificate

    init() throws {
        let name = try DistinguishedName { CommonName("test CA") }
        certificate = try Self.make(
            name, key: key.publicKey, issuer: name, by: key, isAuthority: true)
    }

    /// - Returns: the certificate and its key, PEM.
    func issue(
        _ subject: DistinguishedName, names: [GeneralName] = []
    ) throws -> (certificate: Certificate, key: Certificate.PrivateKey) {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let certificate = try Self.make(
            subject, key: key.publicKey, issuer: certificate.subject, by: self.key, names: names)
        return (certificate, key)
    }

    private static func make(
        _ subject: DistinguishedName, key: Certificate.PublicKey, issuer: DistinguishedName,
        by signer: Certificate.PrivateKey, isAuthority: Bool = false, names: [GeneralName] = []
    ) throws -> Certificate {
        try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key,
            notValidBefore: Date(timeIntervalSinceNow: -3600),
            notValidAfter: Date(timeIntervalSinceNow: 86400), issuer: issuer, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                if isAuthority {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                }
                if !names.isEmpty { SubjectAlternativeNames(names) }
            }, issuerPrivateKey: signer)
    }
}

extension Certificate {
    var pem: String {
        get throws { try serializeAsPEM().pemString }
    }
}

extension Certificate.PrivateKey {
    var pem: String {
        get throws { try serializeAsPEM().pemString }
    }
}

/// Keeps log lines as `message key=value…`, keys sorted.
final class LogLines: Sendable {
    private let storage = Mutex<[String]>([])

    var lines: [String] { storage.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(lines: self) }
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            let text = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            lines.storage.withLock { $0.append("\(event.message)\(text)") }
        }
    }
}

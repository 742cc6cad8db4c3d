import Feed
import Foundation

/// Certificates made once per run by the `openssl` command in a directory of their own.
struct Certificates: Sendable {
    static let shared: Certificates = {
        do {
            return try Certificates()
        } catch {
            preconditionFailure("the openssl command cannot make certificates: \(error)")
        }
    }()

    /// The authority that signed all of the others.
    let ca: [UInt8]
    /// An authority that signed nothing.
    let otherCA: [UInt8]
    let serverPEM: [UInt8]
    let serverKey: [UInt8]
    let clientPEM: [UInt8]
    let clientKey: [UInt8]

    /// A server for `localhost`, `feed.test` and `127.0.0.1`.
    func server(asksForCertificate: Bool = false, onlyTLS12: Bool = false) throws -> FeedTLS {
        FeedTLS(
            certificatePEM: self.serverPEM, keyPEM: self.serverKey,
            clientCAPEM: asksForCertificate ? self.ca : nil, onlyTLS12: onlyTLS12)
    }

    private init() throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("certificates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        func file(_ name: String) -> String { directory.appendingPathComponent(name).path }
        func bytes(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: file(name))))
        }
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for name in ["ca", "other"] {
            try Self.openssl(
                ["req", "-x509"] + key + [
                    "-subj", "/CN=\(name)", "-days", "2", "-keyout", file("\(name).key"), "-out",
                    file("\(name).pem"),
                ])
        }
        for (name, extensions) in [
            ("server", "subjectAltName=DNS:localhost,DNS:feed.test,IP:127.0.0.1"),
            ("client", "extendedKeyUsage=clientAuth"),
        ] {
            try Data(extensions.utf8).write(to: URL(fileURLWithPath: file("\(name).ext")))
            try Self.openssl(
                ["req"] + key + [
                    "-subj", "/CN=\(name)", "-keyout", file("\(name).key"), "-out",
                    file("\(name).csr"),
                ])
            try Self.openssl([
                "x509", "-req", "-in", file("\(name).csr"), "-CA", file("ca.pem"), "-CAkey",
                file("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", file("\(name).ext"),
                "-out", file("\(name).pem"),
            ])
        }
        self.ca = try bytes("ca.pem")
        self.otherCA = try bytes("other.pem")
        self.serverPEM = try bytes("server.pem")
        self.serverKey = try bytes("server.key")
        self.clientPEM = try bytes("client.pem")
        self.clientKey = try bytes("client.key")
    }

    private struct Failed: Error {
        var arguments: [String]
        var status: Int32
    }

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failed(arguments: arguments, status: process.terminationStatus)
        }
    }
}

import Foundation

/// A certificate authority, a server's certificate and a client's, made with `openssl` and thrown
/// away with the directory.
package struct TestCertificates: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Roots: ours, and one that signed nothing.
    package var caPEM: String
    package var otherCAPEM: String
    /// For `localhost`, `feed.test` and `127.0.0.1`.
    package var serverPEM: String
    package var serverKeyPEM: String
    package var clientPEM: String
    package var clientKeyPEM: String

    package static func make() throws -> TestCertificates {
        let directory = try TemporaryDirectory()
        for name in ["ca", "other"] {
            try openssl(
                directory,
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                    + "-subj /CN=wsm-test-\(name) -keyout \(name).key -out \(name).pem")
        }
        try directory.write(
            "subjectAltName=DNS:localhost,DNS:feed.test,IP:127.0.0.1\n", to: "server.ext")
        try directory.write("extendedKeyUsage=clientAuth\n", to: "client.ext")
        for name in ["server", "client"] {
            try openssl(
                directory,
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name) "
                    + "-keyout \(name).key -out \(name).csr")
            try openssl(
                directory,
                "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
                    + "-extfile \(name).ext -out \(name).pem")
        }
        func text(_ name: String) throws -> String {
            try String(contentsOfFile: "\(directory.path)/\(name)", encoding: .utf8)
        }
        return TestCertificates(
            caPEM: try text("ca.pem"), otherCAPEM: try text("other.pem"),
            serverPEM: try text("server.pem"), serverKeyPEM: try text("server.key"),
            clientPEM: try text("client.pem"), clientKeyPEM: try text("client.key"))
    }

    private static func openssl(_ directory: TemporaryDirectory, _ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(
                description: "openssl \(arguments): " + String(decoding: said, as: UTF8.self))
        }
    }
}

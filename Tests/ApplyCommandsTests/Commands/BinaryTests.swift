import Foundation
import Testing

/// The built program itself, from its arguments to its exit code.
struct BinaryTests {
    private struct Missing: Error {}

    /// The program stands beside the bundle of the tests.
    private func wsmApply(_ arguments: [String], input: String = "") async throws -> (Int32, String)
    {
        let folders =
            CommandLine.arguments.prefix(1) + [Bundle.main.bundlePath]
            + Bundle.allBundles.map { $0.bundlePath + "/.." }
        let candidates = folders.map { URL(fileURLWithPath: $0).standardized }
            .flatMap { [$0.deletingLastPathComponent(), $0] }
            .map { $0.appendingPathComponent("wsm-apply") }
        let program = candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let program else { throw Missing() }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stdout
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    @Test func validatesTheStandardInput() async throws {
        let (code, output) = try await wsmApply(["validate", "-f", "-"], input: manifest("a"))
        #expect(output == "1 object valid\n")
        #expect(code == 0)
    }

    @Test func aServerThatIsNotThereIsCode3() async throws {
        let (code, output) = try await wsmApply(["get", "--server", "127.0.0.1:1"])
        #expect(
            output.hasPrefix("error: cannot reach the server at 127.0.0.1:1: Connection refused."))
        #expect(code == 3)
    }
}

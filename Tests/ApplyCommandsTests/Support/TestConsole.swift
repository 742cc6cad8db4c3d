import Synchronization

@testable import ApplyCommands

/// Keeps what a command writes.
final class BufferSink: OutputSink {
    private let storage = Mutex<[UInt8]>([])
    private let limit: Int?
    private let onWrite: @Sendable (String) -> Void

    /// - Parameter limit: The reader goes once so many bytes have come.
    init(limit: Int? = nil, onWrite: @escaping @Sendable (String) -> Void = { _ in }) {
        self.limit = limit
        self.onWrite = onWrite
    }

    var bytes: [UInt8] { storage.withLock { $0 } }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var isClosed: Bool { limit.map { bytes.count >= $0 } ?? false }

    func write(_ bytes: [UInt8]) {
        storage.withLock { $0 += bytes }
        onWrite(String(decoding: bytes, as: UTF8.self))
    }
}

/// The standard input of a command under test.
struct FixedInput: InputSource {
    var bytes: [UInt8]

    func readAll(limit: Int) async throws -> [UInt8] { bytes }
}

/// What one run of the program did.
struct Run {
    var status: CommandStatus
    var output: String
    var error: String
    var bytes: [UInt8]
}

/// The world around a command under test; its wall clock stands still at 1,000,000.
struct World {
    var input = ""
    var outputIsTerminal = false
    var errorIsTerminal = false
    var width: Int?
    /// By default there is no server.
    var environment = ["WSM_SERVER": "127.0.0.1:1"]
    var outputLimit: Int?
    var interruption = Interruption()
    /// Called with all that is written to the standard output.
    var onOutput: @Sendable (String) -> Void = { _ in }
    var connectTimeout = Duration.seconds(60)
    /// The time of `--timeout` is up once this stands on the standard error.
    var timeIsUpAfter: String?

    func run(_ arguments: [String]) async -> Run {
        let output = BufferSink(limit: outputLimit, onWrite: onOutput)
        let gate = Interruption()
        let error = BufferSink { [timeIsUpAfter] text in
            if let timeIsUpAfter, text.contains(timeIsUpAfter) { gate.trigger() }
        }
        var console = Console(
            output: output, error: error, input: FixedInput(bytes: Array(input.utf8)),
            outputIsTerminal: outputIsTerminal, errorIsTerminal: errorIsTerminal, width: width,
            environment: environment, identity: "ada@lab", now: { 1_000_000 }, uptime: { .zero },
            interruption: interruption)
        console.connectTimeout = connectTimeout
        console.sleep = { _ in
            await gate.wait()
            try Task.checkCancellation()
        }
        let status = await Program.run(arguments: arguments, console: console)
        return Run(
            status: status, output: output.text, error: error.text, bytes: output.bytes)
    }
}

/// All that a command touches of the world around it, so that a test can stand in for the world.
package struct Console: Sendable {
    /// The result: what another program may read.
    package var output: any OutputSink
    /// For people: progress, warnings, errors.
    package var error: any OutputSink
    package var input: any InputSource
    package var outputIsTerminal: Bool
    package var errorIsTerminal: Bool
    /// Columns of the terminal; `nil` where there is none or it does not say.
    package var width: Int?
    package var environment: [String: String]
    /// Who runs the command, as `user@host`; the server notes it on what is applied.
    package var identity: String
    /// The wall clock in Unix seconds, for ages and times to come.
    package var now: @Sendable () -> Int64
    /// A clock that only goes forward, for the rate of progress lines.
    package var uptime: @Sendable () -> Duration
    package var interruption: Interruption
    /// Time from the first dial of the server to its first answer.
    package var connectTimeout = Duration.seconds(5)
    /// How the time of `--timeout` passes.
    package var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    package init(
        output: any OutputSink, error: any OutputSink, input: any InputSource,
        outputIsTerminal: Bool, errorIsTerminal: Bool, width: Int?,
        environment: [String: String], identity: String,
        now: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> Duration,
        interruption: Interruption
    ) {
        self.output = output
        self.error = error
        self.input = input
        self.outputIsTerminal = outputIsTerminal
        self.errorIsTerminal = errorIsTerminal
        self.width = width
        self.environment = environment
        self.identity = identity
        self.now = now
        self.uptime = uptime
        self.interruption = interruption
    }
}

private import Dispatch

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#elseif canImport(Darwin)
    private import Darwin
#endif

extension Console {
    /// The console of this process: its standard streams, clocks and Ctrl-C.
    ///
    /// - Parameter environment: Of the process.
    package static func process(environment: [String: String]) -> Console {
        SystemCalls.ignore(SIGPIPE)
        let interruption = Interruption()
        let started = ContinuousClock.now
        return Console(
            output: DescriptorSink(STDOUT_FILENO), error: DescriptorSink(STDERR_FILENO),
            input: StandardInput(interruption: interruption),
            outputIsTerminal: SystemCalls.isTerminal(STDOUT_FILENO),
            errorIsTerminal: SystemCalls.isTerminal(STDERR_FILENO),
            width: SystemCalls.width(STDOUT_FILENO) ?? SystemCalls.width(STDERR_FILENO),
            environment: environment,
            identity: "\(environment["USER"] ?? "uid \(getuid())")@\(SystemCalls.hostName())",
            now: { SystemCalls.wallClock() }, uptime: { ContinuousClock.now - started },
            interruption: interruption)
    }

}

/// Makes Ctrl-C trigger an interruption instead of ending the process; a second one ends it.
///
/// Holds as long as the handler lives.
package final class InterruptHandler {
    private let source: any DispatchSourceSignal

    package init(_ interruption: Interruption) {
        SystemCalls.ignore(SIGINT)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            SystemCalls.restoreDefault(of: SIGINT)
            interruption.trigger()
        }
        source.resume()
    }
}

import ApplyCommands
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

let console = Console.process(environment: ProcessInfo.processInfo.environment)
let interrupts = InterruptHandler(console.interruption)
let status = await Program.run(
    arguments: Array(CommandLine.arguments.dropFirst()), console: console)
withExtendedLifetime(interrupts) {}
exit(status.rawValue)

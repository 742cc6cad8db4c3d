internal import ArgumentParser
internal import GRPCCore

/// Runs one command line from its arguments to its exit code, without touching the process.
package enum Program {
    /// - Parameters:
    ///   - arguments: Without the name of the program.
    ///   - console: The world around it; its interruption ends the command.
    package static func run(arguments: [String], console: Console) async -> CommandStatus {
        await withTaskGroup(of: CommandStatus?.self) { group in
            group.addTask { await execute(arguments, console) }
            group.addTask {
                await console.interruption.wait()
                return nil
            }
            // The first to end is either the command or Ctrl-C; both end the other.
            var status = CommandStatus.done
            while let result = await group.next() {
                group.cancelAll()
                if let result { status = result }
            }
            return outcome(status, on: console)
        }
    }

    /// A result that could not be written is none, whatever the command came to.
    private static func outcome(_ status: CommandStatus, on console: Console) -> CommandStatus {
        guard let reason = console.output.failure else { return status }
        console.error.line("error: the result could not be written: \(reason)")
        return status == .done || status == .different ? .unreachable : status
    }

    private static func execute(_ arguments: [String], _ console: Console) async -> CommandStatus {
        if arguments.first == CompletionRun.verb {
            return await CompletionRun.run(Array(arguments.dropFirst()), on: console)
        }
        if let word = arguments.first, let problem = problem(withVerb: word) {
            console.error.line("error: \(problem)")
            return .invalid
        }
        do {
            var command = try WSMApply.parseAsRoot(arguments)
            guard let verb = command as? any ConsoleCommand else {
                try command.run()
                return .done
            }
            return try await run(verb, on: console)
        } catch {
            if let verb = misplacedVerb(arguments, error) {
                console.error.line("error: the verb comes first: wsm-apply \(verb) OPTIONS")
                return .invalid
            }
            return report(error, on: console)
        }
    }

    /// A verb behind an option: the parser has taken the line for one of `apply`, and the verb for
    /// something that does not belong there. Told and not done, since a file may have a verb's name.
    private static func misplacedVerb(_ arguments: [String], _ error: any Error) -> String? {
        guard let first = arguments.first, first.hasPrefix("-"),
            WSMApply.exitCode(for: error) == .validationFailure,
            let place = arguments.firstIndex(where: verbs.contains)
        else { return nil }
        var others = arguments
        let verb = others.remove(at: place)
        return (try? WSMApply.parseAsRoot([verb] + others)) == nil ? nil : verb
    }

    private static var verbs: [String] {
        WSMApply.configuration.subcommands.compactMap { $0.configuration.commandName }
    }

    /// Since a verb may be left out, the parser would take a mistyped one for an argument of `apply`.
    private static func problem(withVerb word: String) -> String? {
        guard !word.hasPrefix("-"), word != "help", !verbs.contains(word) else { return nil }
        return
            "\"\(TerminalText.safe(word))\" is no verb; there are \(verbs.joined(separator: ", "))"
    }

    private static func run(
        _ verb: any ConsoleCommand, on console: Console
    ) async throws -> CommandStatus {
        let session: Session
        do {
            session = try Session(verb.common, on: console)
            return try await verb.run(in: session)
        } catch let failure as CommandFailure
            where !console.interruption.isTriggered || failure.status == .interrupted
        {
            if !failure.message.isEmpty {
                let style = Style(
                    isColored: verb.common.color.colors(
                        isTerminal: console.errorIsTerminal, environment: console.environment))
                console.error.line(
                    style("error:", .removed) + " "
                        + TerminalText.safe(failure.message, keeping: ["\n"]))
            }
            return failure.status
        } catch  where console.interruption.isTriggered {
            console.error.line("interrupted")
            return .interrupted
        }
    }

    /// Help, versions and errors of the arguments; errors nobody expected.
    private static func report(_ error: any Error, on console: Console) -> CommandStatus {
        let isParserError = WSMApply.exitCode(for: error) != .failure
        let text = WSMApply.fullMessage(for: error, columns: console.width ?? 80)
        let end = text.hasSuffix("\n") ? "" : "\n"
        if WSMApply.exitCode(for: error).isSuccess {
            console.output.write(text + end)
            return .done
        }
        console.error.write(isParserError ? text + end : "error: \(error)\n")
        return isParserError ? .invalid : .unreachable
    }
}

internal import ArgumentParser

/// The hidden verb `__complete`, which the shells' scripts call with the words of the line.
///
/// It prints a candidate a line, with a tab and a word about it where there is one; the line
/// `:files` asks the shell for names of files. It never fails and says nothing else.
enum CompletionRun {
    static let verb = "__complete"
    static let filesMark = ":files"

    /// - Parameter words: Without the program's name; the last one is at the cursor.
    static func run(_ words: [String], on console: Console) async -> CommandStatus {
        guard let program = CommandTree.ofProgram(), let common = CommandTree.ofCommonOptions()
        else { return .done }
        let plan = CompletionReader(program: program, commonOptions: common).plan(words)
        var lines = plan.candidates.filter { $0.text.hasPrefix(plan.current) }.map { candidate in
            let text = plan.prefix + candidate.text
            return candidate.summary.isEmpty ? text : text + "\t" + candidate.summary
        }
        if let session = session(plan.common, on: console) {
            lines += await LiveNames(session: session).names(plan.live)
                .filter { $0.hasPrefix(plan.current) }
                .map { plan.prefix + TerminalText.singleLine($0) }
        }
        if plan.wantsContexts, let file = try? ContextsFile.load(console.environment) {
            lines += file.contexts.map(\.name).filter { $0.hasPrefix(plan.current) }
                .map { plan.prefix + TerminalText.singleLine($0) }
        }
        if plan.wantsFiles { lines.append(filesMark) }
        console.output.write(lines.map { $0 + "\n" }.joined())
        return .done
    }

    private static func session(_ flags: [String], on console: Console) -> Session? {
        guard let options = (try? CommonOptions.parse(flags)) ?? (try? CommonOptions.parse([]))
        else { return nil }
        return try? Session(options, on: console)
    }
}

internal import Spec

/// What may stand at the place of the cursor. Pure: made from the words of the command line.
struct CompletionPlan: Sendable, Equatable {
    /// Names that only the server knows.
    enum Live: Sendable, Hashable {
        /// Names, each behind `prefix`.
        case objects(ObjectKind, prefix: String)
        case topics, sets, instances
    }

    /// One candidate and a word about it.
    struct Candidate: Sendable, Equatable {
        var text: String
        var summary = ""
    }

    var candidates: [Candidate] = []
    var live: [Live] = []
    /// The names of the contexts file, for which no server is asked.
    var wantsContexts = false
    /// The shell completes names of files itself.
    var wantsFiles = false
    /// What stands before the part that is completed: `--output=`.
    var prefix = ""
    /// The part of the word that is completed.
    var current = ""
    /// The common flags among the words, so that the right server is asked.
    var common: [String] = []
}

/// Reads the words before the cursor as the parser would, without ever refusing any.
struct CompletionReader {
    let program: CommandTree
    let commonOptions: CommandTree

    private struct State {
        var verb: CommandTree?
        var positionals: [String] = []
        var given: [String] = []
        var common: [String] = []
        /// The option whose value comes next.
        var open: CommandTree.Argument?
        var isPastOptions = false
    }

    /// - Parameter words: Without the program's name; the last one is at the cursor, maybe empty.
    func plan(_ words: [String]) -> CompletionPlan {
        var words = Self.joined(words)
        let current = words.popLast() ?? ""
        var state = State()
        for word in words { read(word, &state) }
        var plan = plan(for: current, state)
        plan.common = state.common
        return plan
    }

    /// Shells that break words at `=` give `--output`, `=` and the value apart.
    private static func joined(_ words: [String]) -> [String] {
        var result: [String] = []
        var isOpen = false
        for word in words {
            if word == "=", let last = result.last, last.hasPrefix("--") {
                result[result.count - 1] += "="
                isOpen = true
            } else if isOpen {
                result[result.count - 1] += word
                isOpen = false
            } else {
                result.append(word)
            }
        }
        return result
    }

    private func read(_ word: String, _ state: inout State) {
        if let open = state.open {
            state.open = nil
            // What looks like an option is none's value.
            if !word.hasPrefix("-") || word == "-" {
                note(word, of: open, &state)
                return
            }
        }
        guard word.hasPrefix("-"), word != "-", !state.isPastOptions else {
            if let inner = (state.verb ?? program).subcommand(word), state.positionals.isEmpty {
                state.verb = inner
            } else {
                state.positionals.append(word)
            }
            return
        }
        if word == "--" {
            state.isPastOptions = true
            return
        }
        let name = String(word.prefix { $0 != "=" })
        state.given.append(name)
        guard let option = option(name, state.verb) else { return }
        if commonOptions.option(name) != nil { state.common.append(word) }
        if option.kind == .option, !word.contains("=") { state.open = option }
    }

    private func note(_ value: String, of option: CommandTree.Argument, _ state: inout State) {
        if option.names.contains(where: { commonOptions.option($0) != nil }) {
            state.common.append(value)
        }
    }

    private func option(_ name: String, _ verb: CommandTree?) -> CommandTree.Argument? {
        verbs(verb).lazy.compactMap { $0.option(name) }.first
    }

    /// Where the options of a line are looked for: without a verb, those of `apply` hold.
    private func verbs(_ verb: CommandTree?) -> [CommandTree] {
        verb.map { [$0] } ?? [program, program.subcommand("apply")].compactMap(\.self)
    }

    private func plan(for current: String, _ state: State) -> CompletionPlan {
        if current.hasPrefix("--"), let equals = current.firstIndex(of: "="), !state.isPastOptions {
            let name = String(current[..<equals])
            let rest = String(current[current.index(after: equals)...])
            guard let option = option(name, state.verb) else { return CompletionPlan() }
            var plan = CompletionSources.value(of: option, verb: state.verb?.name ?? "apply", rest)
            plan.prefix = name + "="
            return plan
        }
        if current.hasPrefix("-"), !state.isPastOptions { return options(current, state) }
        if let open = state.open {
            return CompletionSources.value(of: open, verb: state.verb?.name ?? "apply", current)
        }
        let verb = state.verb ?? program
        if !verb.subcommands.isEmpty, state.positionals.isEmpty {
            var plan = CompletionPlan(current: current)
            plan.candidates = verb.subcommands.map { .init(text: $0.name, summary: $0.summary) }
            return plan
        }
        if verb.name == "help" {
            var plan = CompletionPlan(current: current)
            plan.candidates = program.subcommands.map { .init(text: $0.name, summary: $0.summary) }
            return plan
        }
        return CompletionSources.positional(state.positionals, of: verb, current)
    }

    /// Every option that is not there yet, by its long name where it has one.
    private func options(_ current: String, _ state: State) -> CompletionPlan {
        var plan = CompletionPlan(current: current)
        var seen: Set<String> = []
        for option in verbs(state.verb).flatMap(\.arguments) where option.kind != .positional {
            guard
                let name = option.names.first(where: { $0.hasPrefix("--") }) ?? option.names.first,
                seen.insert(name).inserted,
                option.isRepeating || !option.names.contains(where: state.given.contains)
            else { continue }
            plan.candidates.append(.init(text: name, summary: option.summary))
        }
        return plan
    }
}

internal import Spec

/// What the values of options and positional arguments may be, by the names the verbs give them.
enum CompletionSources {
    /// The value of an option.
    static func value(
        of option: CommandTree.Argument, verb: String, _ current: String
    ) -> CompletionPlan {
        var plan = CompletionPlan(current: current)
        if !option.values.isEmpty {
            plan.candidates = option.values.map { .init(text: $0) }
            return plan
        }
        switch option.names.last(where: { $0.hasPrefix("--") }) ?? "" {
        case "--set": plan.live = [.sets]
        case "--context": plan.wantsContexts = true
        case "--connection": plan.live = [.objects(.connection, prefix: "")]
        case "--kind": plan.candidates = ObjectKind.allCases.map { .init(text: $0.word) }
        case "--wait": plan.candidates = words(["Ready", "FirstMessage"])
        case "--for": plan.candidates = words(["Ready", "FirstMessage", "deleted"])
        default: plan.wantsFiles = isPath(option)
        }
        return plan
    }

    /// The next positional argument.
    static func positional(
        _ given: [String], of verb: CommandTree, _ current: String
    ) -> CompletionPlan {
        var plan = CompletionPlan(current: current)
        let isFirst = given.isEmpty
        switch verb.name {
        case "get", "describe", "delete", "wait":
            return objects(given, current)
        case "send", "events":
            if isFirst { plan.live = [.objects(.connection, prefix: "")] }
        case "tail":
            if isFirst { plan.live = [.topics] }
        case "history", "rollback":
            if isFirst { plan.live = [.sets] }
        case "drain", "cordon", "uncordon":
            if isFirst { plan.live = [.instances] }
        case "use-context", "delete-context", "set-context", "rename-context":
            plan.wantsContexts = isFirst
        case "schema":
            if isFirst { plan.candidates = words(ObjectKind.allCases.map(\.rawValue)) }
        case "explain":
            if isFirst {
                plan.candidates = words(ObjectKind.allCases.map(\.rawValue) + FieldCatalog.names)
            }
        case "completion":
            if isFirst { plan.candidates = words(CompletionShell.allCases.map(\.rawValue)) }
        default:
            break
        }
        return plan
    }

    /// `[TYPE] NAME…` or `TYPE/NAME…`.
    private static func objects(_ given: [String], _ current: String) -> CompletionPlan {
        var plan = CompletionPlan(current: current)
        if let slash = current.firstIndex(of: "/") {
            let word = String(current[..<slash])
            if let kind = ObjectKind(word: word) {
                plan.live = [.objects(kind, prefix: word + "/")]
            }
            return plan
        }
        let kind = given.first.flatMap { ObjectKind(word: $0) }
        plan.live = [.objects(kind ?? .connection, prefix: "")]
        if given.isEmpty {
            plan.candidates = [
                .init(text: "connections", summary: "All connections, or those named next."),
                .init(text: "connectionsets", summary: "All sets, or those named next."),
            ]
        }
        return plan
    }

    private static func words(_ words: [String]) -> [CompletionPlan.Candidate] {
        words.map { .init(text: $0) }
    }

    private static func isPath(_ option: CommandTree.Argument) -> Bool {
        ["file", "path", "dir", "directory"].contains(option.valueName.lowercased())
    }
}

internal import ManagerAPI
internal import Spec

/// What `apply` prints: one line an object in the words of kubectl, and the summary.
struct ApplyReport: Presentable {
    let outcome: ApplyOutcome
    var wait: WaitOutcome?

    func table(_ canvas: Canvas) -> String {
        let groups = ResultGroup.groups(of: outcome.results)
        let suffix = outcome.isDryRun ? " (dry run)" : ""
        var text = groups.map { Self.line($0, canvas.style) + suffix + "\n" }.joined()
        text += outcome.summaryLine + "\n"
        return text
    }

    var json: JSONValue {
        outcome.json(kind: "ApplyResult", wait: wait?.json)
    }

    var records: [Record] { outcome.records }

    var names: [String] {
        outcome.results.filter { $0.action != .conflict && $0.action != .failed }.map(\.label)
    }

    private static func line(_ group: ResultGroup, _ style: Style) -> String {
        switch group {
        case .one(let result):
            return line(result, style)
        case .members(let connectionSet, let action, let cutsSockets, let count, _):
            let label = "\(ObjectKind.connectionSet.word)/\(connectionSet)"
            let reconnect = cutsSockets && action != .pruned ? " (reconnect)" : ""
            return "\(label): \(count.counted("connection")) "
                + style(action.word, action.role) + reconnect
        }
    }

    private static func line(_ result: Wsm_V1_ObjectResult, _ style: Style) -> String {
        let label = TerminalText.safe(result.label)
        let word = style(result.action.word, result.action.role)
        switch result.action {
        case .configured, .adopted:
            let paths = result.edits.map(\.path).joined(separator: ", ")
            let reconnect = result.cutsSocket ? " (reconnect)" : ""
            return "\(label) \(word)" + (paths.isEmpty ? "" : ": \(paths)") + reconnect
        case .protected:
            return "\(label) \(word): its annotation \(Metadata.pruneAnnotation) is disabled"
        default:
            return "\(label) \(word)"
        }
    }
}

extension Wsm_V1_ResultAction {
    var role: Style.Role {
        switch self {
        case .created, .adopted: .added
        case .configured, .protected: .changed
        case .pruned, .conflict, .failed: .removed
        default: .faint
        }
    }
}

/// The conflicts and failures of an apply or plan, for the standard error.
enum ApplyComplaints {
    private static let shown = 50

    static func report(_ outcome: ApplyOutcome, to session: Session) {
        let bad = outcome.results.filter { $0.action == .conflict || $0.action == .failed }
        for result in bad.prefix(shown) {
            var text = "\(result.label) \(result.action.word): \(result.message)"
            if !result.origin.isEmpty { text = "\(result.origin): \(text)" }
            session.complain(TerminalText.safe(text))
            if result.action == .conflict, let ways = waysOut(result.message) {
                session.console.error.line("  ways out: \(ways)")
            }
        }
        if bad.count > shown {
            session.complain("… and \((bad.count - shown).counted("more object")) like that")
        }
        for warning in outcome.summary?.warnings ?? [] {
            session.warn(TerminalText.safe(warning))
        }
    }

    /// What the operator can do about a conflict; `nil` where the server has said it.
    private static func waysOut(_ message: String) -> String? {
        if message.contains("--adopt") || message.contains("--force-conflicts") { return nil }
        if message.contains("member of ConnectionSet") { return nil }
        if message.contains("resourceVersion") {
            return "get the object again, or take resourceVersion out of the manifest"
        }
        return "--adopt takes it over without a reconnect; apply it with the --set that owns it;"
            + " or take it out of the input"
    }
}

internal import ManagerAPI
internal import Spec

/// What `plan` prints: a mark for each object, what changes in it, and which live sockets are cut.
///
/// `+` create, `~` change in place, `-/+` change that cuts the live socket, `-` delete, `=` unchanged.
struct PlanReport: Presentable {
    let outcome: ApplyOutcome

    func table(_ canvas: Canvas) -> String {
        var text = ""
        for group in ResultGroup.groups(of: outcome.results) {
            text += Self.lines(group, canvas.style)
        }
        let unchanged = outcome.count(.unchanged)
        if unchanged > ResultGroup.threshold {
            text += Self.mark("=", .faint, canvas.style) + "\(unchanged) unchanged\n"
        }
        if !text.isEmpty { text += "\n" }
        text += cutLine + "\n"
        text += "plan: " + Self.summary(outcome) + "\n"
        if outcome.hasDifferences, let base = outcome.summary?.baseRevision {
            text += "apply with: --if-revision \(base)\n"
        }
        return text
    }

    var json: JSONValue { outcome.json(kind: "Plan", wait: nil) }

    var records: [Record] { outcome.records }

    var names: [String] {
        outcome.results.filter { $0.action != .unchanged && $0.action != .protected }.map(\.label)
    }

    private var cutLine: String {
        let count = outcome.summary?.cutSockets ?? 0
        return count == 0
            ? "no live socket will be cut"
            : "\(count.counted("live socket")) will be cut"
    }

    static func summary(_ outcome: ApplyOutcome) -> String {
        var parts = [
            "\(outcome.count(.created)) to create", "\(outcome.count(.configured)) to configure",
        ]
        if outcome.count(.adopted) > 0 { parts.append("\(outcome.count(.adopted)) to adopt") }
        parts.append("\(outcome.count(.pruned)) to prune")
        parts.append("\(outcome.count(.unchanged)) unchanged")
        if outcome.count(.protected) > 0 { parts.append("\(outcome.count(.protected)) protected") }
        if outcome.count(.conflict) > 0 {
            parts.append(outcome.count(.conflict).counted("conflict"))
        }
        if outcome.count(.failed) > 0 { parts.append("\(outcome.count(.failed)) failed") }
        return parts.joined(separator: ", ")
    }

    private static func lines(_ group: ResultGroup, _ style: Style) -> String {
        switch group {
        case .members(let connectionSet, let action, let cutsSockets, let count, let fields):
            let (mark, role) = mark(of: action, cutsSocket: cutsSockets)
            let members =
                "\(ObjectKind.connectionSet.word)/\(connectionSet):"
                + " \(count.counted("connection"))"
                + (fields.isEmpty ? "" : ": " + fields.joined(separator: ", "))
            return self.mark(mark, role, style) + members + "\n"
        case .one(let result):
            let (mark, role) = mark(of: result.action, cutsSocket: result.cutsSocket)
            var text = self.mark(mark, role, style) + TerminalText.safe(result.label)
            text += remark(result) + "\n"
            for edit in result.edits where result.action != .created {
                text +=
                    "      \(edit.path): \(value(edit.hasOld, edit.old))"
                    + " -> \(value(edit.hasNew, edit.new))\n"
            }
            return text
        }
    }

    private static func remark(_ result: Wsm_V1_ObjectResult) -> String {
        switch result.action {
        case .configured, .adopted:
            let adopted = result.action == .adopted ? " (adopted)" : ""
            guard result.cutsSocket else { return adopted }
            let fields = result.forcingFields.joined(separator: ", ")
            return adopted + (fields.isEmpty ? " cuts the socket" : " cuts the socket: \(fields)")
        case .protected: return " (protected from prune)"
        default: return ""
        }
    }

    private static func mark(
        of action: Wsm_V1_ResultAction, cutsSocket: Bool
    ) -> (String, Style.Role) {
        switch action {
        case .created: ("+", .added)
        case .configured, .adopted: cutsSocket ? ("-/+", .removed) : ("~", .changed)
        case .pruned: ("-", .removed)
        default: ("=", .faint)
        }
    }

    private static func mark(_ mark: String, _ role: Style.Role, _ style: Style) -> String {
        style(mark, role) + String(repeating: " ", count: 4 - mark.utf8.count)
    }

    private static func value(_ isSet: Bool, _ text: String) -> String {
        isSet ? TerminalText.singleLine(text) : "(not set)"
    }
}

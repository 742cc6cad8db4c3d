internal import ManagerAPI
internal import Spec

/// What `diff` prints: for each object that differs, its fields as they are live and as they would be.
struct DiffReport: Presentable {
    let outcome: ApplyOutcome
    /// The input, by label, for what is not there yet.
    let documents: [String: [UInt8]]

    init(outcome: ApplyOutcome, objects: [CompiledObject]) {
        self.outcome = outcome
        documents = Dictionary(
            objects.map { ("\($0.kind.word)/\($0.metadata.name)", $0.canonical) },
            uniquingKeysWith: { first, _ in first })
    }

    func table(_ canvas: Canvas) -> String {
        // Members of a set that come or go as they are: their set's manifest says it all.
        let plain = outcome.results.filter { !$0.connectionSet.isEmpty && $0.edits.isEmpty }
        let others = outcome.results.filter { $0.connectionSet.isEmpty || !$0.edits.isEmpty }
        return others.map { block($0, canvas.style) }.joined()
            + ResultGroup.groups(of: plain).map { members($0, canvas.style) }.joined()
    }

    var json: JSONValue { outcome.json(kind: "Plan", wait: nil) }

    var records: [Record] { outcome.records }

    var names: [String] {
        outcome.results.filter { Self.differs($0.action) }.map(\.label)
    }

    private static func differs(_ action: Wsm_V1_ResultAction) -> Bool {
        switch action {
        case .created, .configured, .adopted, .pruned: true
        default: false
        }
    }

    private func block(_ result: Wsm_V1_ObjectResult, _ style: Style) -> String {
        let label = TerminalText.safe(result.label)
        let live = "\(label) (live)"
        let origin = result.origin.isEmpty ? "input" : TerminalText.safe(result.origin)
        switch result.action {
        case .created:
            return head("/dev/null", "\(label) (\(origin))", style)
                + lines(createdText(result), "+", .added, style)
        case .pruned:
            return head(live, "/dev/null", style)
                + (result.edits.isEmpty ? lines(label, "-", .removed, style) : edits(result, style))
        case .configured, .adopted:
            let adopted =
                result.action == .adopted
                ? style("@@ adopted by set \(outcome.set) @@", .place) + "\n" : ""
            return head(live, "\(label) (\(origin))", style) + adopted + edits(result, style)
        default:
            return ""
        }
    }

    private func members(_ group: ResultGroup, _ style: Style) -> String {
        let action: Wsm_V1_ResultAction
        let text: String
        switch group {
        case .one(let result):
            action = result.action
            text = "\(result.label) of \(ObjectKind.connectionSet.word)/\(result.connectionSet)"
        case .members(let connectionSet, let common, _, let count, _):
            action = common
            let label = "\(ObjectKind.connectionSet.word)/\(connectionSet)"
            text = "\(label): \(count.counted("connection"))"
        }
        switch action {
        case .created: return lines(text, "+", .added, style)
        case .pruned: return lines(text, "-", .removed, style)
        case .adopted, .configured:
            return style("@@ \(TerminalText.safe(text)) \(action.word) @@", .place) + "\n"
        default: return ""
        }
    }

    private func head(_ old: String, _ new: String, _ style: Style) -> String {
        style("--- \(old)", .heading) + "\n" + style("+++ \(new)", .heading) + "\n"
    }

    /// The manifest of a new object; its fields where the input has no document for it.
    private func createdText(_ result: Wsm_V1_ObjectResult) -> String {
        if let document = documents[result.label], let json = try? JSONValue.parse(document) {
            return ManifestRenderer.yaml(json)
        }
        guard !result.edits.isEmpty else { return result.label }
        return result.edits.map { "\($0.path): \($0.new)" }.joined(separator: "\n")
    }

    private func edits(_ result: Wsm_V1_ObjectResult, _ style: Style) -> String {
        result.edits.map { edit in
            let cuts = edit.effect == "reopen" || edit.effect == "close"
            let remark = cuts && result.cutsSocket ? " cuts the socket" : ""
            var text = style("@@ \(edit.path)\(remark) @@", .place) + "\n"
            if edit.hasOld { text += lines("\(edit.path): \(edit.old)", "-", .removed, style) }
            if edit.hasNew { text += lines("\(edit.path): \(edit.new)", "+", .added, style) }
            return text
        }.joined()
    }

    private func lines(
        _ text: String, _ mark: String, _ role: Style.Role, _ style: Style
    ) -> String {
        text.split(whereSeparator: \.isNewline).map {
            style(mark + TerminalText.safe(String($0), keeping: ["\t"]), role) + "\n"
        }.joined()
    }
}

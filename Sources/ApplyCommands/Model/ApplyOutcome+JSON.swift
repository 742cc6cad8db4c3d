internal import ManagerAPI
internal import Spec

extension ApplyOutcome {
    /// The stable shape of `apply`, `plan` and `diff` with `-o json`.
    ///
    /// - Parameter kind: `ApplyResult` or `Plan`.
    func json(kind: String, wait: JSONValue?) -> JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", "wsm.virtufin.com/v1")
        object.text("kind", kind)
        object.text("set", set)
        object.bool("dryRun", isDryRun)
        object.number("revision", summary?.revision ?? 0)
        object.number("baseRevision", summary?.baseRevision ?? 0)
        object.textIfAny("planDigest", summary?.planDigest ?? "")
        object.list("results", results.map(Self.json))
        object.value("summary", summaryJSON)
        object.list("warnings", (summary?.warnings ?? []).map { .string($0) })
        if let wait { object.value("wait", wait) }
        return object.object
    }

    /// The lines of `apply`, `plan` and `diff` with `-o ndjson`: the results, warnings, the summary.
    var records: [Record] {
        let results = results.map { result in
            let isBad = result.action == .conflict || result.action == .failed
            return Record(
                level: isBad ? .error : .info, type: "result", object: result.label,
                fields: Self.json(result))
        }
        let warnings = (summary?.warnings ?? []).map { text in
            Record(level: .warning, type: "warning", fields: ["message": .string(text)])
        }
        var fields = JSONObjectBuilder()
        fields.text("set", set)
        fields.bool("dryRun", isDryRun)
        fields.number("revision", summary?.revision ?? 0)
        let counts = fields.object.followed(by: summaryJSON)
        return results + warnings + [Record(type: "summary", fields: counts)]
    }

    private var summaryJSON: JSONValue {
        var object = JSONObjectBuilder()
        object.number("created", count(.created))
        object.number("configured", count(.configured))
        object.number("unchanged", count(.unchanged))
        object.number("adopted", count(.adopted))
        object.number("pruned", count(.pruned))
        object.number("protected", count(.protected))
        object.number("conflicts", count(.conflict))
        object.number("failed", count(.failed))
        object.number("cutSockets", summary?.cutSockets ?? 0)
        return object.object
    }

    private static func json(_ result: Result) -> JSONValue {
        var object = JSONObjectBuilder()
        object.text("kind", result.kind)
        object.text("name", result.name)
        object.text("action", result.action.word)
        object.textIfAny("connectionSet", result.connectionSet)
        object.textIfAny("effect", result.effect)
        object.bool("cutsSocket", result.cutsSocket)
        object.list("edits", result.edits.map(json))
        object.textIfAny("message", result.message)
        if !result.fieldConflicts.isEmpty {
            object.list("fieldConflicts", result.fieldConflicts.map(json))
        }
        object.textIfAny("uid", result.uid)
        object.number("generation", result.generation)
        object.textIfAny("origin", result.origin)
        return object.object
    }

    private static func json(_ conflict: Wsm_V1_FieldConflict) -> JSONValue {
        var object = JSONObjectBuilder()
        object.text("path", conflict.path)
        object.text("manager", conflict.manager)
        object.timeIfAny("since", conflict.since)
        return object.object
    }

    private static func json(_ edit: Wsm_V1_FieldEdit) -> JSONValue {
        var object = JSONObjectBuilder()
        object.text("path", edit.path)
        object.value("old", edit.hasOld ? .string(edit.old) : .null)
        object.value("new", edit.hasNew ? .string(edit.new) : .null)
        object.textIfAny("effect", edit.effect)
        return object.object
    }
}

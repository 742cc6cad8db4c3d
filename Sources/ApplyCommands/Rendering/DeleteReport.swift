internal import Spec

/// What `delete` prints.
struct DeleteReport: Presentable, Sendable {
    enum End: Sendable, Equatable {
        /// With so many connections.
        case deleted(Int)
        /// It was not there, which is fine.
        case absent
        case missing
        case refused(CommandFailure)
    }

    struct Entry: Sendable, Equatable {
        let reference: ObjectReference
        let end: End

        var problem: String? {
            switch end {
            case .deleted, .absent: nil
            case .missing: "\(reference.label) is not there"
            case .refused(let failure): "\(reference.label) not deleted: \(failure.message)"
            }
        }

        var word: String {
            switch end {
            case .deleted: "deleted"
            case .absent, .missing: "missing"
            case .refused: "refused"
            }
        }

        var json: JSONValue {
            var item = JSONObjectBuilder()
            item.text("kind", reference.kind.rawValue)
            item.text("name", reference.name)
            item.text("action", word)
            if case .deleted(let count) = end { item.number("connections", count) }
            item.textIfAny("message", problem ?? "")
            return item.object
        }
    }

    var entries: [Entry] = []

    func table(_ canvas: Canvas) -> String {
        entries.compactMap { entry in
            guard case .deleted(let count) = entry.end else { return nil }
            let isSet = entry.reference.kind == .connectionSet
            let members = isSet ? " (\(count.counted("connection")))" : ""
            return "\(entry.reference.label) \(canvas.style("deleted", .removed))\(members)\n"
        }.joined()
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", "wsm.virtufin.com/v1")
        object.text("kind", "DeleteResult")
        object.list(
            "results",
            entries.map(\.json))
        return object.object
    }

    var records: [Record] {
        entries.map { entry in
            Record(
                level: entry.problem == nil ? .info : .error, type: "result",
                object: entry.reference.label, fields: entry.json)
        }
    }

    var names: [String] {
        entries.filter { $0.word == "deleted" }.map(\.reference.label)
    }

    func status(ignoringMissing: Bool) -> CommandStatus {
        let bad = entries.compactMap { entry -> CommandStatus? in
            switch entry.end {
            case .deleted, .absent: nil
            case .missing: .different
            case .refused(let failure): failure.status
            }
        }
        guard let worst = bad.max(by: { $0.rawValue < $1.rawValue }) else { return .done }
        let isPartial = entries.contains { $0.word == "deleted" } && worst != .different
        return isPartial ? .partial : worst
    }
}

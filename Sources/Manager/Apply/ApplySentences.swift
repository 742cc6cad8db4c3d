import ManagerCore
import Spec

/// What an operator reads of a conflict: who, since when, and the ways out.
enum ApplySentences {
    /// Fields named in one sentence; the rest are counted.
    private static let shownFields = 5

    static func staleResourceVersion(_ given: String, present: Int64) -> String {
        "resourceVersion is \(given) but the object is at \(present): "
            + "get it again and make the change on that, or leave resourceVersion out"
    }

    /// An object of another keeper.
    ///
    /// - Parameters:
    ///   - since: when the keeper took it.
    ///   - owner: the record of the set that keeps it.
    static func belongsToAnother(
        _ keeper: Keeper, since: WallTime, owner: ApplySetRecord?
    ) -> String {
        var text = "it belongs to \(keeper) since \(since.rfc3339Seconds)"
        if let last = owner?.history.last, !last.by.isEmpty {
            text += " (last changed by \(last.by) at \(last.at.rfc3339Seconds))"
        }
        return text + ": apply it with --set of its owner, take it over with --adopt (no "
            + "reconnect), or choose another name"
    }

    /// Fields that other managers gave other values.
    static func fieldConflicts(_ conflicts: [FieldMerge.Conflict], isRollback: Bool) -> String {
        let shown = conflicts.prefix(shownFields).map {
            "\($0.path) is managed by \($0.owner.manager) since \($0.owner.since.rfc3339Seconds)"
        }.joined(separator: ", ")
        let rest = conflicts.count - shownFields
        let more = rest > 0 ? ", and \(rest) more" : ""
        let ways =
            isRollback
            ? "take over with --force-conflicts, roll back as that manager with --field-manager, "
                + "or let it change the field"
            : "take it over with --force-conflicts, leave the field out of the manifest, or give "
                + "it the same value to share it"
        return shown + more + ": " + ways
    }

    /// A ConnectionSet that another manager declared otherwise.
    static func setConflict(_ owner: FieldOwner, paths: [String]) -> String {
        "it is managed by \(owner.manager) since \(owner.since.rfc3339Seconds), who declares "
            + "another \(paths.joined(separator: ", ")): take it over with --force-conflicts, leave "
            + "the set out of the input, or declare the same to share it"
    }

    /// Fields of several managers that do not go together.
    static func doNotGoTogether(_ problems: [Diagnostic]) -> String {
        let problem = problems.first { $0.severity == .error }
        let sentence = problem.map { "\($0.path): \($0.message)" } ?? "the manifest is not valid"
        return "with the fields that other managers declare it would not be valid (\(sentence)): "
            + "declare those fields too and take them over with --force-conflicts, or agree with "
            + "the other manager"
    }

    /// Where a set is, for whoever thought it elsewhere.
    static func place(of set: ApplySetRecord) -> String {
        guard let last = set.history.last else { return "set \(set.name) was never applied" }
        let by = last.by.isEmpty ? "" : " by \(last.by)"
        return "set \(set.name) is at revision \(last.number), applied\(by) at "
            + "\(last.at.rfc3339Seconds) (\(last.summary))"
    }
}

import ManagerCore
import Spec

/// The digest of what an apply does, and to what state: equal plans have equal digests.
///
/// It covers the set and its revision before, and of every result kind, name, action, edits with
/// their values, conflicts, uid and the generation before. A generation counts every change of what
/// is in force, those by calls too; so whatever moved at an object of the plan changes the digest.
enum PlanDigest {
    static func of(_ results: [ApplyResult], set: String, baseRevision: Int64) -> String {
        var digest = ContentDigest()
        digest.add(set)
        digest.add(baseRevision)
        for result in results { add(result, to: &digest) }
        return digest.finalize()
    }

    private static func add(_ result: ApplyResult, to digest: inout ContentDigest) {
        digest.add(result.kind.rawValue)
        digest.add(result.name)
        digest.add("\(result.action)")
        digest.add(result.connectionSet ?? "")
        // That of an object still to be made is drawn at random.
        digest.add(result.generationBefore == 0 ? "" : result.uid)
        digest.add(result.generationBefore)
        digest.add(Int64(result.changes.count))
        for change in result.changes {
            digest.add(change.path)
            digest.add(change.old.map { "=" + $0 } ?? "")
            digest.add(change.new.map { "=" + $0 } ?? "")
        }
        digest.add(Int64(result.fieldConflicts.count))
        for conflict in result.fieldConflicts {
            digest.add(conflict.path)
            digest.add(conflict.owner.manager)
        }
    }
}

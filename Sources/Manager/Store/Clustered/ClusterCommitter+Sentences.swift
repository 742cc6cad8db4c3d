import ManagerCore

// MARK: What the caller is told

extension ClusterCommitter {
    static func unknown(
        _ key: ObjectKey, _ count: Int, _ plan: ChangePlan, _ progress: ChangeProgress
    ) -> String {
        guard plan.steps.count > 1 else {
            return "\(key) could not be changed by its owner in time: the change may be in effect, "
                + "or come into effect"
        }
        let inEffect = plan.keys.count { progress.done[$0] != nil }
        let (more, owners) =
            count > 1 ? (" and \(count - 1) more", "their owners") : ("", "its owner")
        return "\(inEffect) of \(plan.steps.count) changes are in effect; \(key)\(more) could not "
            + "be changed by \(owners) in time, and what follows was not tried: make the same "
            + "change again to complete it"
    }

    static func contended(
        _ key: ObjectKey?, _ progress: ChangeProgress
    ) -> TwoTierStore.Contended {
        let place = key.map { ", the last time at \($0)" } ?? ""
        let part = progress.hasTakenEffect ? "; a part of this change is in effect" : ""
        return TwoTierStore.Contended(
            description: "others changed the same objects \(tries) times while this change was "
                + "made\(place)\(part): look at what is there and make the change again")
    }

    /// The change was refused, maybe when it ran again after a part of it had taken effect.
    static func refusal(_ error: any Error, _ progress: ChangeProgress) -> any Error {
        guard progress.hasTakenEffect, !(error is TwoTierStore.NotCommitted) else { return error }
        return TwoTierStore.Contended(
            description: "a part of the change took effect, then others changed the same objects, "
                + "and the rest is refused now: \(error)")
    }
}

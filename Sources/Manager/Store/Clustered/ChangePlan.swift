import ManagerCore

/// What of a change is in effect already, while the rest of it is decided anew.
///
/// The change runs again over everything as it was before, so that it comes to the same where
/// nobody interfered: what is in effect is not written again, and what its caller is told is the
/// whole of it.
struct ChangeProgress: Sendable {
    struct Done: Sendable {
        var before: StoredObject?
        var now: StoredObject?
        var base: RecordChange.Base
    }

    private(set) var done: [ObjectKey: Done] = [:]
    /// Also what was forgotten since.
    private(set) var hasTakenEffect = false
    /// What the owner does not hold for live, though the store shows it: a record in no index.
    private var garbage: [ObjectKey: RecordChange.Base] = [:]
    /// What memory says of them is not enough.
    private(set) var toFetch: Set<ObjectKey> = []
    /// Revisions whose pages are deleted, by set: its record need not tell of them any more.
    var tidied: [String: Set<Int64>] = [:]
    /// Pages that were written, those of revisions that did not come about among them.
    var pages: Set<RevisionKey> = []

    /// Uids of objects that were made.
    var uids: [ObjectKey: ConnectionUID] {
        done.compactMapValues { done in
            guard let now = done.now, now.uid != done.before?.uid else { return nil }
            return ConnectionUID(rawValue: now.uid)
        }
    }

    var applySets: [ObjectKey] {
        done.keys.filter { if case .applySet = $0 { true } else { false } }
    }

    mutating func took(_ step: ChangePlan.Step) {
        hasTakenEffect = true
        let before = done[step.key].map(\.before) ?? step.from.object
        done[step.key] = Done(before: before, now: step.to, base: step.newBase)
    }

    mutating func refused(_ step: ChangePlan.Step) {
        if step.isOfApplySet, done[step.key] != nil { return overtaken() }
        // What we did to it before, somebody has changed since.
        done[step.key] = nil
        garbage[step.key] = step.from.base
        if step.from.isGuess { toFetch.insert(step.key) }
    }

    /// Somebody else changed the set after us: all is to be looked at as it is now.
    mutating func overtaken() {
        done = [:]
    }

    /// A record as fetched, as its owner sees it.
    func judged(_ seen: SeenRecord, _ key: ObjectKey) -> SeenRecord {
        seen.base == garbage[key] ? SeenRecord(base: seen.base) : seen
    }
}

/// The changes of records that a draft comes to.
struct ChangePlan: Sendable {
    struct Step: Sendable {
        var key: ObjectKey
        var from: SeenRecord
        /// `nil` deletes.
        var to: StoredObject? {
            didSet { content = to?.content ?? [] }
        }
        /// As it is written.
        private(set) var content: [UInt8]

        init(key: ObjectKey, from: SeenRecord, to: StoredObject?) {
            self.key = key
            self.from = from
            self.to = to
            content = to?.content ?? []
        }

        /// Life and revision after it. A status alone does not raise the revision.
        var newBase: RecordChange.Base {
            RecordChange.Base(
                uid: to.map { LiveRecord.key(ofUID: $0.uid) } ?? from.base.uid,
                revision: from.base.revision + (isStatus ? 0 : 1))
        }

        private var isStatus: Bool {
            guard let old = from.object, let to else { return false }
            return old.isSameDesired(as: to)
        }

        var isOfApplySet: Bool {
            if case .applySet = key { true } else { false }
        }

        /// Makes a record of a Connect that has not been answered.
        var isConnect: Bool { from.object == nil && to?.isProvisional == true }

        var change: RecordChange {
            RecordChange(
                name: key.indexEntry,
                kind: to == nil ? .delete : from.object == nil ? .create : .change,
                revision: newBase.revision, uid: newBase.uid, base: from.base,
                content: content)
        }
    }

    /// In the order of the draft.
    var steps: [Step] = []
    let pages: [(key: RevisionKey, text: String)]

    /// - Parameter view: what the draft was made over; every key that it changes has been seen.
    init(_ draft: StoreDraft, over view: ChangeView, after progress: ChangeProgress) {
        pages = draft.revisionPages
        for key in draft.order {
            add(key, Self.tidied(draft.object(key), progress), view, progress)
        }
        // What an earlier run did and this one does not is undone.
        let changed = Set(draft.order)
        for (key, done) in progress.done where !changed.contains(key) {
            add(key, Self.tidied(done.before, progress), view, progress)
        }
    }

    var keys: Set<ObjectKey> { Set(steps.map(\.key)) }

    private mutating func add(
        _ key: ObjectKey, _ to: StoredObject?, _ view: ChangeView, _ progress: ChangeProgress
    ) {
        let from =
            progress.done[key].map { SeenRecord(object: $0.now, base: $0.base) }
            ?? view.seen(key) ?? .nothing
        switch (from.object, to) {
        case (nil, nil): return
        case (let old?, let new?) where old.isSame(as: new): return
        default: steps.append(Step(key: key, from: from, to: to))
        }
    }

    private static func tidied(
        _ object: StoredObject?, _ progress: ChangeProgress
    ) -> StoredObject? {
        guard case .applySet(var record)? = object else { return object }
        record.dropped.subtract(progress.tidied[record.name] ?? [])
        return .applySet(record)
    }
}

package import ManagerCore
package import Spec

/// One apply of one set over a draft: what is created, changed, adopted, pruned or refused.
///
/// Pure: the same draft and input give the same outcome, so a plan is an apply whose draft is
/// thrown away. Each object is changed whole or not at all.
package struct SetApply {
    var draft: StoreDraft
    let options: ApplyOptions
    let now: WallTime
    let makeUID: () -> ConnectionUID
    var set: ApplySetRecord
    var outcome = ApplyOutcome()
    /// Names the input declares.
    private(set) var inputConnections: Set<String> = []
    private(set) var inputSets: Set<String> = []
    /// Of all connections of the input, members among them.
    private(set) var inputNames: Set<String> = []
    /// ConnectionSets that this apply prunes.
    private(set) var leavingSets: Set<String> = []
    /// How many of the latest results are of members of the set being applied.
    var resultsOfMembers = 0
    /// Objects taken from other sets, by set.
    private var taken: [String: Int] = [:]
    /// Members of one set are nearly always managed alike; they share what says so.
    private var knownManagers: Set<FieldManagers> = []

    /// - Parameter makeUID: a fresh uid, of the system's generator unless told otherwise.
    /// - Returns: the draft with the changes, and what they are.
    /// - Throws: ``PruneRefused``, ``ApplyAborted``.
    package static func run(
        _ objects: [CompiledObject], on draft: inout StoreDraft, options: ApplyOptions,
        now: WallTime, makeUID: () -> ConnectionUID = SetApply.freshUID
    ) throws -> ApplyOutcome {
        try withoutActuallyEscaping(makeUID) { makeUID in
            var apply = SetApply(draft: draft, options: options, now: now, makeUID: makeUID)
            try apply.run(objects)
            draft = apply.draft
            return apply.outcome
        }
    }

    package static func freshUID() -> ConnectionUID {
        var generator = SystemRandomNumberGenerator()
        return .random(using: &generator)
    }

    private init(
        draft: StoreDraft, options: ApplyOptions, now: WallTime,
        makeUID: @escaping () -> ConnectionUID
    ) {
        self.draft = draft
        self.options = options
        self.now = now
        self.makeUID = makeUID
        set =
            draft.applySet(options.set)
            ?? ApplySetRecord(
                epoch: draft.epoch, name: options.set,
                uid: draft.uid(ofNew: .applySet(options.set), makeUID).rawValue)
    }

    private mutating func run(_ objects: [CompiledObject]) throws {
        try checkRevision()
        for object in objects {
            switch object.kind {
            case .connection: inputConnections.insert(object.metadata.name)
            case .connectionSet: inputSets.insert(object.metadata.name)
            }
            inputNames.formUnion(object.connections.map(\.metadata.name))
        }
        let victims = options.prune ? try pruneVictims() : []
        for case .connectionSet(let name) in victims where !isProtected(.connectionSet(name)) {
            leavingSets.insert(name)
        }
        for object in objects {
            switch object.body {
            case .connection(let manifest): apply(manifest, origin: object)
            case .connectionSet(let manifest): apply(manifest, object)
            }
        }
        for victim in victims { prune(victim) }
        try checkPlan()
        recordRevision()
    }

    var keeper: Keeper { .applySet(options.set) }
    var owner: FieldOwner { FieldOwner(manager: options.fieldManager, since: now) }

    /// A ConnectionSet that this apply says nothing about.
    func stays(_ connectionSet: String) -> Bool {
        !inputSets.contains(connectionSet) && !leavingSets.contains(connectionSet)
    }

    /// The value that equal ones share.
    mutating func shared(_ managers: FieldManagers) -> FieldManagers {
        knownManagers.insert(managers).memberAfterInsert
    }

    /// Another set loses an object to this one.
    mutating func take(from other: Keeper, _ body: (inout ApplySetRecord) -> Bool) {
        guard case .applySet(let name) = other, var record = draft.applySet(name),
            body(&record)
        else { return }
        taken[name, default: 0] += 1
        draft.put(record)
    }

    // MARK: Guards

    private mutating func checkRevision() throws {
        outcome.baseRevision = set.revision
        guard let wanted = options.ifRevision, wanted != set.revision else { return }
        throw ApplyAborted(
            description: "\(ApplySentences.place(of: set)), not at revision \(wanted): look at it "
                + "again with plan, and apply that")
    }

    private mutating func checkPlan() throws {
        outcome.planDigest = PlanDigest.of(
            outcome.results, set: set.name, baseRevision: outcome.baseRevision)
        guard !options.expectPlan.isEmpty, options.expectPlan != outcome.planDigest else { return }
        throw ApplyAborted(
            description:
                "the plan does not hold any more, since an object it concerns has changed: "
                + "\(ApplySentences.place(of: set)); make the plan again")
    }

    // MARK: History

    /// The set's history grows by one, if anything changed; so does that of a set that lost objects.
    private mutating func recordRevision() {
        defer { outcome.revision = set.revision }
        guard !outcome.changesNothing else { return }
        SetHistory.append(
            to: &set, by: options.appliedBy, at: now, summary: summary,
            keepsManifests: !options.isDryRun, in: &draft)
        for (name, count) in taken.sorted(by: { $0.key < $1.key }) {
            guard var loser = draft.applySet(name) else { continue }
            SetHistory.append(
                to: &loser, by: options.appliedBy, at: now,
                summary: "\(count) adopted by set \(set.name)",
                keepsManifests: !options.isDryRun, in: &draft)
        }
    }

    private var summary: String {
        var text = options.rollbackTo.map { "rollback to \($0): " } ?? ""
        text += "\(outcome.count(.created)) created, \(outcome.count(.configured)) configured, "
        if outcome.count(.adopted) > 0 { text += "\(outcome.count(.adopted)) adopted, " }
        return text + "\(outcome.count(.pruned)) pruned"
    }
}

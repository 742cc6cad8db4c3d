package import Logging
import ManagerCore
import NIOPosix
import Spec
import Synchronization

/// Keeps one apply set as a directory of manifests says: `--manifests`.
///
/// A thin shell: ``DirectoryWatch`` decides when a state of the tree is worth acting on,
/// ``ManifestAssembly`` what it means, ``SetApply`` what that changes. Whatever is wrong with the
/// directory changes nothing and is reported: log, check, event, counter.
package actor ManifestsDirectory {
    /// The directory and what it is for.
    package struct Options: Sendable {
        package var directory: String
        package var set: String
        package var instanceID: String

        package init(directory: String, set: String, instanceID: String) {
            self.directory = directory
            self.set = set
            self.instanceID = instanceID
        }
    }

    private let options: Options
    private let store: TwoTierStore
    private let lifecycle: LifecyclePublisher
    private let clock: ManagerClock
    private let logger: Logger
    private let onCheck: @Sendable (ManifestsReport.Check) -> Void
    private let tree: ManifestTree

    private var watch = DirectoryWatch()
    private var assembly: ManifestAssembly
    /// What is in force, as far as this process has applied it.
    private var applied: Applied?
    /// Of the events; drawn anew in each process.
    private let uid: ConnectionUID

    private nonisolated let shared: Mutex<ManifestsReport>
    private nonisolated let reloadAsked = Mutex(false)
    private nonisolated let alarm = Alarm()

    private struct Applied {
        var digests: [String: String]
        var conflicts: [String]
        /// Of the set, right after.
        var mark: SetMark
        /// The last judgement was this apply, not a refusal.
        var isCurrent = true
    }

    /// What changes whenever somebody else changes the set.
    private struct SetMark: Hashable {
        var revision: Int64
        var connections: Int
        var connectionSets: Int

        init(_ set: ApplySetRecord?) {
            revision = set?.revision ?? 0
            connections = set?.connections.count ?? 0
            connectionSets = set?.connectionSets.count ?? 0
        }
    }

    /// - Parameter onCheck: told whenever the check changes; on any thread.
    package init(
        _ options: Options, store: TwoTierStore, lifecycle: LifecyclePublisher,
        clock: ManagerClock, logger: Logger,
        onCheck: @escaping @Sendable (ManifestsReport.Check) -> Void
    ) {
        self.options = options
        self.store = store
        self.lifecycle = lifecycle
        self.clock = clock
        var logger = logger
        logger[metadataKey: "manifests"] = "\(options.directory)"
        logger[metadataKey: "set"] = "\(options.set)"
        self.logger = logger
        self.onCheck = onCheck
        tree = ManifestTree(options.directory)
        assembly = ManifestAssembly(directory: options.directory)
        var generator = SystemRandomNumberGenerator()
        uid = .random(using: &generator)
        let report = ManifestsReport()
        shared = Mutex(report)
        onCheck(report.check)
    }

    /// What checks and metrics show. Any thread.
    package nonisolated var report: ManifestsReport { shared.withLock { $0 } }

    /// Reads everything again now and applies it, changed or not: SIGHUP. Any thread.
    package nonisolated func reload() {
        reloadAsked.withLock { $0 = true }
        alarm.ring()
    }

    /// Looks, and acts on what it sees, until cancelled.
    package func run() async {
        while !Task.isCancelled {
            let pause = await step()
            await alarm.wait(pause)
        }
    }

    /// One look, with all that follows from it.
    ///
    /// - Returns: when to look again.
    package func step() async -> Duration {
        if reloadAsked.withLock({ asked in
            defer { asked = false }
            return asked
        }) {
            watch.askedToReload()
            assembly.forget()
        }
        let started = clock.now()
        guard let snapshot = await blocking({ [tree] in tree.look() }) else {
            return DirectoryWatch.interval
        }
        let now = clock.now()
        let decision = watch.looked(snapshot, hasDrifted: hasDrifted, now: now)
        let pause =
            switch decision {
            case .wait(let pause): pause
            case .judge: await judge(snapshot)
            }
        return DirectoryWatch.spread(pause, lookTook: started.duration(to: now))
    }

    // MARK: Judging

    private func judge(_ snapshot: DirectorySnapshot) async -> Duration {
        guard await read(snapshot) else {
            watch.changedMeanwhile()
            return DirectoryWatch.settle
        }
        if assembly.mayBeCutOff(snapshot), let patience = watch.patience(now: clock.now()) {
            return patience
        }
        var isWorthARetry = false
        switch assembly.verdict(on: snapshot) {
        case .refused(let refusal):
            refuse(refusal)
            isWorthARetry = refusal.reason == .unreadable
            assembly.forgetUnreadable()
        case .declared(let declaration):
            isWorthARetry = await bringInForce(declaration)
            assembly.taken(snapshot)
        }
        watch.judged(snapshot, isWorthARetry: isWorthARetry, now: clock.now())
        return DirectoryWatch.interval
    }

    /// Reads what is new.
    ///
    /// - Returns: `false` if the tree has changed meanwhile, so that what was read may be of two
    ///   states.
    private func read(_ snapshot: DirectorySnapshot) async -> Bool {
        guard snapshot.problems.isEmpty, ManifestAssembly.excess(snapshot) == nil else {
            return true
        }
        guard !assembly.unread(in: snapshot).isEmpty else { return true }
        let result = await blocking { [tree, assembly] in
            var assembly = assembly
            for file in assembly.unread(in: snapshot) {
                do throws(ManifestTree.ReadFailure) {
                    assembly.read(file, try tree.contents(of: file))
                } catch {
                    switch error {
                    case .changed: return ManifestAssembly?.none
                    case .unreadable(let sentence): assembly.unreadable(file, sentence)
                    }
                }
            }
            return tree.look() == snapshot ? assembly : nil
        }
        guard let read = result ?? nil else { return false }
        assembly = read
        return true
    }

    /// - Returns: whether to try again though nothing changes.
    private func bringInForce(_ declaration: DirectoryDeclaration) async -> Bool {
        if let applied, applied.digests == declaration.digests, applied.isCurrent, !hasDrifted,
            applied.conflicts.isEmpty, !watch.isAskedToReload
        {
            update { $0.settled(files: declaration.files, conflicts: []) }
            return false
        }
        do {
            let (outcome, mark) = try await apply(declaration)
            let conflicts = outcome.results.filter { $0.action == .conflict }.map {
                "\($0.origin): \($0.kind.rawValue) \($0.name): \($0.message)"
            }
            let isNews =
                !outcome.changesNothing || applied?.conflicts != conflicts
                || applied?.isCurrent != true
            applied = Applied(
                digests: declaration.digests, conflicts: conflicts, mark: mark)
            tell(outcome, declaration, conflicts, isNews: isNews)
            return !conflicts.isEmpty
        } catch {
            refuse(
                DirectoryRefusal(
                    .notCommitted, problems: ["\(options.directory): \(error)"]))
            return true
        }
    }

    private func apply(_ declaration: DirectoryDeclaration) async throws -> (ApplyOutcome, SetMark)
    {
        var options = ApplyOptions(set: options.set)
        options.prune = true
        // A file that is removed is meant to be: only an empty directory is not believed.
        options.maxPrune = .count(.max)
        options.appliedBy = String("manifests:\(self.options.directory)".prefix(256))
        let now = clock.wallTime()
        return try await store.transact { [options] draft in
            var generator = SystemRandomNumberGenerator()
            let outcome = try SetApply.run(
                declaration.objects, on: &draft, options: options, now: now,
                makeUID: { .random(using: &generator) })
            return (outcome, SetMark(draft.applySet(options.set)))
        }
    }

    // MARK: The set in the store

    /// Somebody else changed the set since it was applied from here.
    private var hasDrifted: Bool {
        guard let applied, applied.isCurrent else { return false }
        return applied.mark != SetMark(store.applySet(options.set))
    }

    // MARK: Telling

    private func tell(
        _ outcome: ApplyOutcome, _ declaration: DirectoryDeclaration, _ conflicts: [String],
        isNews: Bool
    ) {
        let now = clock.wallTime()
        update {
            $0.applied(outcome, declaration, conflicts: conflicts, at: now)
            if isNews { $0.appliedTotal += 1 }
        }
        guard isNews else { return }
        let counts = ManifestsEvent.Counts(outcome)
        logger.log(
            level: conflicts.isEmpty ? .info : .warning, "manifests applied",
            metadata: [
                "created": "\(counts.created)", "configured": "\(counts.configured)",
                "unchanged": "\(counts.unchanged)", "pruned": "\(counts.pruned)",
                "adopted": "\(counts.adopted)", "conflicts": "\(counts.conflicts)",
                "revision": "\(outcome.revision)",
            ].merging(conflicts.isEmpty ? [:] : ["problems": "\(conflicts.shown)"]) { $1 })
        publish(.applied(counts, revision: outcome.revision, problems: conflicts.shown))
    }

    private func refuse(_ refusal: DirectoryRefusal) {
        applied?.isCurrent = false
        let before = report.check
        update { $0.refused(refusal) }
        // A retry that ends as the try before it is no news.
        guard report.check != before else { return }
        update { $0.refusedTotal += 1 }
        logger.warning(
            "manifests refused; what was applied last stays in force",
            metadata: [
                "reason": "\(refusal.reason.rawValue)", "problems": "\(refusal.problems)",
                "problem_count": "\(refusal.problemCount)",
            ])
        publish(
            .refused(
                reason: refusal.reason.rawValue, problems: refusal.problems,
                problemCount: refusal.problemCount))
    }

    private func update(_ body: (inout ManifestsReport) -> Void) {
        let (before, after) = shared.withLock { report in
            let before = report.check
            body(&report)
            return (before, report.check)
        }
        if before != after { onCheck(after) }
    }

    private func publish(_ kind: ManifestsEvent.Kind) {
        let event = ManifestsEvent(
            set: options.set, directory: options.directory, instanceID: options.instanceID,
            kind: kind)
        lifecycle.publish(uid: uid) { event.outbound(id: $0, time: $1) }
    }

    /// Files block: they are touched on a thread that may.
    ///
    /// - Returns: `nil` once the process ends.
    private func blocking<Result: Sendable>(
        _ body: @escaping @Sendable () -> Result
    ) async -> Result? {
        try? await NIOThreadPool.singleton.runIfActive(body)
    }
}

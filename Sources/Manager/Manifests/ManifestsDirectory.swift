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

    /// How a revision begins to tell of a directory as its author.
    private static let author = "manifests:"

    private let options: Options
    private let store: TwoTierStore
    private let clock: ManagerClock
    private let reporter: ManifestsReporter
    private let tree: ManifestTree

    private var watch = DirectoryWatch()
    private var assembly: ManifestAssembly
    /// What is in force, as far as this process has applied it.
    private var applied: Applied?
    /// When what was last judged was judged, another instance owned the set.
    private var isStandby = false
    private var content: SeenContent?

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

    /// What the directory says, and since when; with no time it did so from the start.
    private struct SeenContent {
        var digests: [String: String]
        var since: WallTime?
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
        self.clock = clock
        reporter = ManifestsReporter(
            options, lifecycle: lifecycle, clock: clock, logger: logger, onCheck: onCheck)
        tree = ManifestTree(options.directory)
        assembly = ManifestAssembly(directory: options.directory)
    }

    /// What checks and metrics show. Any thread.
    package nonisolated var report: ManifestsReport { reporter.report }

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
        // A look that came back after the end began has no consequences.
        guard !Task.isCancelled else { return DirectoryWatch.interval }
        var isWorthARetry = false
        isStandby = !store.isServed(options.set)
        switch assembly.verdict(on: snapshot) {
        case .refused(let refusal):
            applied?.isCurrent = false
            reporter.refused(refusal)
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
        noteContent(declaration)
        guard !isStandby else {
            reporter.standsBy(store.owner(of: options.set))
            return false
        }
        if let applied, applied.digests == declaration.digests, applied.isCurrent, !hasDrifted,
            applied.conflicts.isEmpty, !watch.isAskedToReload
        {
            reporter.settled(declaration)
            return false
        }
        do {
            guard let (outcome, mark) = try await apply(declaration) else {
                applied = nil
                reporter.refused(superseded)
                return false
            }
            let conflicts = outcome.results.filter { $0.action == .conflict }.map {
                "\($0.origin): \($0.kind.rawValue) \($0.name): \($0.message)"
            }
            let isNews =
                !outcome.changesNothing || applied?.conflicts != conflicts
                || applied?.isCurrent != true
            applied = Applied(
                digests: declaration.digests, conflicts: conflicts, mark: mark)
            reporter.applied(outcome, declaration, conflicts, isNews: isNews)
            return !conflicts.isEmpty
        } catch {
            applied?.isCurrent = false
            reporter.refused(
                DirectoryRefusal(
                    .notCommitted, problems: ["\(options.directory): \(error)"]))
            return true
        }
    }

    /// - Returns: `nil` if it is what another instance's directory has replaced since.
    private func apply(
        _ declaration: DirectoryDeclaration
    ) async throws -> (ApplyOutcome, SetMark)? {
        var options = ApplyOptions(set: options.set)
        options.prune = true
        // A file that is removed is meant to be: only an empty directory is not believed.
        options.maxPrune = .count(.max)
        options.appliedBy = String("\(Self.author)\(self.options.directory)".prefix(256))
        let now = clock.wallTime()
        let since = content?.since
        // Who is alone on its store is alone with its directory; and an operator knows.
        let mayBeOld = store.isShared && !watch.isAskedToReload
        return try await store.transact { [options] draft in
            var scratch = draft
            let outcome = try SetApply.run(
                declaration.objects, on: &scratch, options: options, now: now)
            let after = scratch.applySet(options.set)
            if mayBeOld, !outcome.changesNothing, let digest = after?.history.last?.digest,
                let end = draft.applySet(options.set)?
                    .end(of: digest, by: { $0.hasPrefix(Self.author) }),
                since.map({ $0 <= end }) ?? true
            {
                return nil
            }
            draft = scratch
            return (outcome, SetMark(after))
        }
    }

    private func noteContent(_ declaration: DirectoryDeclaration) {
        guard let content else {
            content = SeenContent(digests: declaration.digests)
            return
        }
        guard content.digests != declaration.digests else { return }
        self.content = SeenContent(digests: declaration.digests, since: clock.wallTime())
    }

    private var superseded: DirectoryRefusal {
        let sentence =
            "the manifests are those of an earlier revision of set \(options.set), which has been "
            + "replaced since; they are applied when they change, or on SIGHUP"
        return DirectoryRefusal(.superseded, problems: ["\(options.directory): \(sentence)"])
    }

    // MARK: The set in the store

    /// Somebody else changed the set since it was applied from here, or it has come or gone.
    private var hasDrifted: Bool {
        guard isStandby != store.isServed(options.set) else { return true }
        guard let applied, applied.isCurrent else { return false }
        return applied.mark != SetMark(store.applySet(options.set))
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

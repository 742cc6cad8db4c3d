import Logging
import ManagerCore
import Synchronization

/// Tells of the manifest directory: the report for checks and metrics, the log, and events.
final class ManifestsReporter: Sendable {
    private let options: ManifestsDirectory.Options
    private let lifecycle: LifecyclePublisher
    private let clock: ManagerClock
    private let logger: Logger
    private let onCheck: @Sendable (ManifestsReport.Check) -> Void
    /// Of the events; drawn anew in each process.
    private let uid: ConnectionUID
    /// Events so far; they come one after the other.
    private let published = Atomic<UInt64>(0)
    private let state: Mutex<ManifestsReport>

    init(
        _ options: ManifestsDirectory.Options, lifecycle: LifecyclePublisher, clock: ManagerClock,
        logger: Logger, onCheck: @escaping @Sendable (ManifestsReport.Check) -> Void
    ) {
        self.options = options
        self.lifecycle = lifecycle
        self.clock = clock
        self.onCheck = onCheck
        var logger = logger
        logger[metadataKey: "manifests"] = "\(options.directory)"
        logger[metadataKey: "set"] = "\(options.set)"
        self.logger = logger
        var generator = SystemRandomNumberGenerator()
        uid = .random(using: &generator)
        let report = ManifestsReport()
        state = Mutex(report)
        onCheck(report.check)
    }

    var report: ManifestsReport { state.withLock { $0 } }

    /// The directory says what is in force already.
    func settled(_ declaration: DirectoryDeclaration) {
        update { $0.settled(files: declaration.files, conflicts: []) }
    }

    /// Another instance applies the directory.
    func standsBy(_ owner: ShardOwner) {
        let before = report.check
        update { $0.standsBy(owner, set: options.set) }
        guard report.check != before else { return }
        logger.info("manifests are applied by another instance", metadata: ["owner": "\(owner)"])
    }

    /// - Parameter isNews: something changed, or is told for the first time since a refusal.
    func applied(
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
        var metadata: Logger.Metadata = [
            "created": "\(counts.created)", "configured": "\(counts.configured)",
            "unchanged": "\(counts.unchanged)", "pruned": "\(counts.pruned)",
            "adopted": "\(counts.adopted)", "conflicts": "\(counts.conflicts)",
            "revision": "\(outcome.revision)",
        ]
        if !conflicts.isEmpty { metadata["problems"] = "\(conflicts.shown)" }
        logger.log(
            level: conflicts.isEmpty ? .info : .warning, "manifests applied", metadata: metadata)
        publish(.applied(counts, revision: outcome.revision, problems: conflicts.shown))
    }

    func refused(_ refusal: DirectoryRefusal) {
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
        let (before, after) = state.withLock { report in
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
        let gate = lifecycle.home
        let id = EventID(
            uid: uid.ofLifecycleEvents, epoch: gate.epoch,
            sequence: published.wrappingAdd(1, ordering: .relaxed).newValue)
        lifecycle.publish(
            EventRun(event.outbound(id: id, time: clock.wallTime()), permit: gate))
    }
}

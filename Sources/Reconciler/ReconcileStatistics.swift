package import ManagerCore

/// What the loop has done since its start, and what is under way.
package struct ReconcileStatistics: Sendable {
    enum Result {
        /// Converged, blocked, or a step was begun.
        case done
        /// To be looked at again at a set time.
        case requeued
        case failed
    }

    package var done: UInt64 = 0
    package var requeued: UInt64 = 0
    package var failed: UInt64 = 0
    package var durations = DurationHistogram.passes
    package var queued = 0
    package var processing = 0
    package var adds: UInt64 = 0
    /// The loop itself looked for work: at the latest once in a resync.
    package var lastTurn: Moment?
    /// A pass began or ended.
    package var lastProgress: Moment?

    package init() {}

    /// A resync found nothing to do for so many.
    mutating func compared(settled: Int) {
        done += UInt64(settled)
    }

    mutating func finished(
        _ result: Result, begun: Moment, now: Moment
    ) {
        switch result {
        case .done: done += 1
        case .requeued: requeued += 1
        case .failed: failed += 1
        }
        durations.record(begun.duration(to: now))
        lastProgress = now
    }
}

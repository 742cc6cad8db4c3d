package import ManagerCore
import Synchronization

/// The lease of this process, as every place of an effect sees it: one number, written by the
/// cluster node and read by all loops. Decision 0030.
package final class LeaseGate: Sendable {
    /// Nanoseconds on the clock of ``now``.
    private let validUntil: Atomic<Int64>
    private let now: @Sendable () -> Moment

    /// - Parameter now: the clock that counts suspend.
    package init(now: @escaping @Sendable () -> Moment) {
        validUntil = Atomic(.min)
        self.now = now
    }

    private init() {
        validUntil = Atomic(.max)
        now = { .distantPast }
    }

    /// Of a process that is alone on its store: it holds a lock, not a lease.
    package static let always = LeaseGate()

    package var isValid: Bool {
        let until = validUntil.load(ordering: .acquiring)
        return until == .max
            || (until != .min && now().offset.saturatedNanoseconds < until)
    }

    /// Whether a publish call that ends now ended later than the protocol allows for.
    package func isLate(by publish: Duration) -> Bool {
        let until = validUntil.load(ordering: .acquiring)
        guard until != .max else { return false }
        return until == .min
            || now().offset.saturatedNanoseconds >= until &+ publish.saturatedNanoseconds
    }

    /// `nil` is fenced.
    package func set(validUntil moment: Moment?) {
        validUntil.store(moment?.offset.saturatedNanoseconds ?? .min, ordering: .releasing)
    }
}

/// One title to one shard, as the connections under it see it.
///
/// Asked at the place of every effect, as the last thing before it, and never handed on as a
/// boolean: a publish, a dial, a frame to the remote other than pong and close, an answer from
/// memory (`ownership.md` of the docs, the fence).
package final class ShardGate: PublishPermit {
    /// What the cluster node lets this title do.
    package enum State: UInt8, Sendable, AtomicRepresentable {
        case open
        /// The shard is being given away: nothing goes out, sockets stay.
        case frozen
        /// The title is gone for good.
        case ended
    }

    package let shard: Int
    /// Part of every event id and of every record written under the title.
    package let epoch: UInt64
    /// `nil` for a process that is alone on its store.
    package let title: Title?
    package let lease: LeaseGate
    private let state = Atomic<State>(.open)
    /// The connections have published all they read, and begin nothing until they are resumed.
    private let isAtRest = Atomic<Bool>(false)

    package init(shard: Int, title: Title, lease: LeaseGate) {
        self.shard = shard
        self.title = title
        self.lease = lease
        epoch = title.shardEpoch
    }

    private init(soleEpoch epoch: UInt64) {
        shard = 0
        title = nil
        lease = .always
        self.epoch = epoch
    }

    /// The one gate of a process that is alone on its store: always open.
    package static func sole(epoch: UInt64) -> ShardGate { ShardGate(soleEpoch: epoch) }

    package var mayAct: Bool {
        state.load(ordering: .acquiring) == .open && !isAtRest.load(ordering: .acquiring)
            && lease.isValid
    }

    package var isEnded: Bool { state.load(ordering: .acquiring) == .ended }

    /// Only the connections say so, between what they report as drained and a resumption: from then
    /// on the digests they reported are final.
    package func rest(_ isWanted: Bool) { isAtRest.store(isWanted, ordering: .releasing) }

    /// Only the cluster node says so. What is ended stays so.
    package func set(_ new: State) {
        guard !isEnded else { return }
        state.store(new, ordering: .releasing)
    }
}

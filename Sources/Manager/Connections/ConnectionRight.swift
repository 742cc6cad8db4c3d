import ManagerCore

/// By what right a connection acts. Asked at the place of every effect.
enum ConnectionRight: Sendable {
    /// It dials, sends and publishes under a title.
    case title(ShardGate)
    /// For a shard that may come: it dials, subscribes and reads, and publishes nothing.
    case shadow(LeaseGate)

    /// Whether it may connect, or send a frame other than pong and close.
    var mayReachOut: Bool {
        switch self {
        case .title(let gate): gate.mayAct
        case .shadow(let lease): lease.isValid
        }
    }

    var gate: ShardGate? {
        if case .title(let gate) = self { gate } else { nil }
    }

    /// Of events; nothing is published in the shadow.
    var epoch: UInt64 { gate?.epoch ?? 0 }

    var isShadow: Bool { gate == nil }
}

/// What there is to tell of the owner before: the gap event that comes ahead of everything else
/// that is published under a title.
struct Succession: Sendable, Hashable {
    var cause: LifecycleEvent.Gap.Cause
    /// The title before.
    var epoch: UInt64
    /// Of the last message published under it, where that is known.
    var lastSequence: UInt64?
    var matched: LifecycleEvent.Gap.Match?

    init(
        cause: LifecycleEvent.Gap.Cause, epoch: UInt64, lastSequence: UInt64? = nil,
        matched: LifecycleEvent.Gap.Match? = nil
    ) {
        self.cause = cause
        self.epoch = epoch
        self.lastSequence = lastSequence
        self.matched = matched
    }
}

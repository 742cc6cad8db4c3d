import ManagerCore
import WebSocket

/// What of a connection's state is there only while something happens that mostly does not: a dial, a
/// full buffer, a bus that is away, a hand-over. Of a thousand connections hardly one has any of it,
/// so it is apart, and each pays for a pointer.
struct PassingState {
    /// Of the running dial.
    var dialStartedAt: Moment?
    /// `onOpen` messages that might not be sent.
    var unsentInitial: [DialInput.InitialMessage] = []
    /// When what is in the backlog was read.
    var backlogTime: WallTime = WallTime(nanosecondsSinceEpoch: 0)
    var lookAheadTimer: LoopTimer = LoopTimer()
    /// Set while the bus does not answer.
    var publishTimer: LoopTimer = LoopTimer()
    /// Of the array that is being filled.
    var batchTimer: LoopTimer = LoopTimer()
    /// For the next lifecycle event.
    var publishedLate: UInt64 = 0
    /// `nil` until something was spilled.
    var spill: ConnectionSpill?
    /// `nil` until a reply was waited for.
    var requests: ConnectionRequests?
    /// The connection was released; when its buffer is empty it is forgotten.
    var onDrained: (@Sendable () -> Void)?
    /// Of the title before this one, where there was one.
    var formerEpoch: UInt64?
    /// Told before anything else under a title.
    var succession: Succession?
    var onGone: (@Sendable () -> Void)?
    var onQuiet: (@Sendable () -> Void)?
    /// An heir is listening: a socket that drops is not dialled again before.
    var redialsFrom: Moment?
    var lastReplies: LoopTimer = LoopTimer()
    var shadow: ShadowLife?
    /// The owner before had read further than the shadow.
    var pendingFrames: PendingFrames?

    /// A message that comes has to be looked at, or to go by the queue, though nothing waits in it.
    var concernsMessages: Bool {
        spill != nil || succession != nil || pendingFrames != nil || onDrained != nil
    }

    /// Nothing of it is needed any more.
    var isOver: Bool {
        let hasDial = dialStartedAt != nil || !unsentInitial.isEmpty
        let hasTimer =
            lookAheadTimer.isSet || publishTimer.isSet || batchTimer.isSet || lastReplies.isSet
        let hasMessages = spill != nil || requests != nil || publishedLate > 0
        let hasTitle =
            formerEpoch != nil || succession != nil || shadow != nil || pendingFrames != nil
        let isAwaited = onDrained != nil || onGone != nil || onQuiet != nil || redialsFrom != nil
        return !hasDial && !hasTimer && !hasMessages && !hasTitle && !isAwaited
    }
}

extension PassingState? {
    /// In its place, which is made for it and given back.
    fileprivate mutating func change(_ change: (inout PassingState) -> Void) {
        var state = take() ?? PassingState()
        change(&state)
        self = state.isOver ? nil : state
    }
}

// Confined to the event loop, as all of the connection's state.
extension ManagedConnection {
    private func change(_ change: (inout PassingState) -> Void) {
        passing.change(change)
    }

    /// Of the running dial.
    var dialStartedAt: Moment? {
        get { passing?.dialStartedAt }
        set { change { $0.dialStartedAt = newValue } }
    }

    /// `onOpen` messages that might not be sent.
    var unsentInitial: [DialInput.InitialMessage] {
        get { passing?.unsentInitial ?? [] }
        set {
            let isChange = !newValue.isEmpty || passing.map { !$0.unsentInitial.isEmpty } ?? false
            if isChange { change { $0.unsentInitial = newValue } }
        }
    }

    /// When what is in the backlog was read.
    var backlogTime: WallTime {
        get { passing?.backlogTime ?? WallTime(nanosecondsSinceEpoch: 0) }
        set { change { $0.backlogTime = newValue } }
    }

    var lookAheadTimer: LoopTimer {
        get { passing?.lookAheadTimer ?? LoopTimer() }
        set { change { $0.lookAheadTimer = newValue } }
    }

    /// Set while the bus does not answer.
    var publishTimer: LoopTimer {
        get { passing?.publishTimer ?? LoopTimer() }
        set { change { $0.publishTimer = newValue } }
    }

    /// Of the array that is being filled.
    var batchTimer: LoopTimer {
        get { passing?.batchTimer ?? LoopTimer() }
        set { change { $0.batchTimer = newValue } }
    }

    /// For the next lifecycle event.
    var publishedLate: UInt64 {
        get { passing?.publishedLate ?? 0 }
        set { if newValue != publishedLate { change { $0.publishedLate = newValue } } }
    }

    /// `nil` until something was spilled.
    var spill: ConnectionSpill? {
        get { passing?.spill }
        set { change { $0.spill = newValue } }
    }

    /// `nil` until a reply was waited for.
    var requests: ConnectionRequests? {
        get { passing?.requests }
        set { change { $0.requests = newValue } }
    }

    /// The connection was released; when its buffer is empty it is forgotten.
    var onDrained: (@Sendable () -> Void)? {
        get { passing?.onDrained }
        set { change { $0.onDrained = newValue } }
    }

    /// Of the title before this one, where there was one.
    var formerEpoch: UInt64? {
        get { passing?.formerEpoch }
        set { if newValue != formerEpoch { change { $0.formerEpoch = newValue } } }
    }

    /// Told before anything else under a title.
    var succession: Succession? {
        get { passing?.succession }
        set { change { $0.succession = newValue } }
    }

    var onGone: (@Sendable () -> Void)? {
        get { passing?.onGone }
        set { change { $0.onGone = newValue } }
    }

    var onQuiet: (@Sendable () -> Void)? {
        get { passing?.onQuiet }
        set { change { $0.onQuiet = newValue } }
    }

    /// An heir is listening: a socket that drops is not dialled again before.
    var redialsFrom: Moment? {
        get { passing?.redialsFrom }
        set { change { $0.redialsFrom = newValue } }
    }

    var lastReplies: LoopTimer {
        get { passing?.lastReplies ?? LoopTimer() }
        set { change { $0.lastReplies = newValue } }
    }

    var shadow: ShadowLife? {
        get { passing?.shadow }
        set { change { $0.shadow = newValue } }
    }

    /// Published by the owner before; this socket is still to bring them.
    var pendingFrames: PendingFrames? {
        get { passing?.pendingFrames }
        set { if passing != nil || newValue != nil { change { $0.pendingFrames = newValue } } }
    }
}

internal import DequeModule
package import Spec

/// How many messages, and how many bytes.
package struct MessageAmount: Sendable, Hashable {
    package var messages: Int
    package var bytes: Int

    package init(messages: Int = 0, bytes: Int = 0) {
        self.messages = messages
        self.bytes = bytes
    }
}

/// The messages of one connection between its socket and the bus: bounded, in order, counted.
///
/// The socket's side appends; the publisher takes one batch at a time and reports what became of
/// it. Only one batch is in flight, so that order survives a retry. What is in flight still counts
/// against the bounds and is never dropped by a policy.
///
/// **Bounds.** ``held`` (waiting and in flight) never passes ``bounds``, except that lowering them
/// drops nothing: until enough is published nothing that would add to `held` is taken.
///
/// **`block`.** From seven eighths of either bound on ``shouldPauseReading`` is true, until both
/// are below one half. The last eighth is a reserve for small look-ahead reads while paused, which
/// find pings and close frames that stand behind data. A message that does not fit in the reserve
/// either is answered with ``Appended/full``: it is *not* taken, nothing is counted, the caller keeps
/// it and stops reading and decoding altogether until ``room`` is large enough. So beyond the bound a
/// connection holds at most that one message and the undecoded rest of its last read; a read that
/// is off the socket already is never lost and never has to fit as a whole.
///
/// **`spill`.** Never pauses; what does not fit is answered with ``Appended/full`` and goes to the disk
/// (``SpillQueue``), and everything after it, until the disk is empty again.
///
/// **`dropOldest`, `dropNewest`.** Never pause; every drop is counted under its reason.
///
/// At every moment `accepted = delivered + discarded + held`.
package struct PublishQueue<Run: MessageRun>: Sendable {
    /// The answer to ``append(_:)``.
    package enum Appended: Sendable, Hashable {
        case accepted
        /// Taken; so much of the oldest was dropped for it.
        case acceptedDroppedOldest(MessageAmount)
        /// Policies `block` and `spill`: not taken; offer it again when there is room, or put it
        /// on the disk.
        case full
        /// Dropped and counted.
        case refused(DropReason)
    }

    package private(set) var bounds: MessageAmount
    package private(set) var overflow: ConnectionSpec.Overflow
    /// True while the socket should not be read, but for look-ahead; also after ``Appended/full``.
    package private(set) var shouldPauseReading = false
    /// What is waiting and in flight.
    package internal(set) var held = MessageAmount()

    /// Messages taken in since the start.
    package internal(set) var accepted: UInt64 = 0
    /// Messages the bus has taken since the start.
    package internal(set) var delivered: UInt64 = 0
    /// Messages that were accepted and dropped later.
    package internal(set) var discarded = DropCounters()
    /// Messages that were never accepted.
    package private(set) var refused = DropCounters()

    var waiting = Deque<Run>()
    var inFlight: [Run] = []
    var inFlightMessages = 0
    var batchNumber: UInt64 = 0

    /// - Parameter bounds: At least one message and one byte.
    package init(bounds: MessageAmount, overflow: ConnectionSpec.Overflow) {
        precondition(bounds.messages >= 1 && bounds.bytes >= 1, "a buffer that holds nothing")
        self.bounds = bounds
        self.overflow = overflow
    }

    /// How much more fits at this moment; zero in both if either bound is reached.
    package var room: MessageAmount {
        guard held.messages < bounds.messages, held.bytes < bounds.bytes else {
            return MessageAmount()
        }
        return MessageAmount(
            messages: bounds.messages - held.messages, bytes: bounds.bytes - held.bytes)
    }

    /// Every drop there was, before and after acceptance.
    package var dropped: DropCounters {
        var all = discarded
        all.add(refused)
        return all
    }
}

// MARK: The socket's side

extension PublishQueue {
    /// Messages were received that fit as they are: no policy has to decide.
    ///
    /// - Returns: False, and nothing has changed, if they do not: offer them one by one.
    @specialized(where Run == EventRun)
    package mutating func appendWhole(_ run: Run) -> Bool {
        let (count, bytes) = (run.count, run.bytes)
        guard count <= bounds.messages - held.messages, bytes <= bounds.bytes - held.bytes else {
            return false
        }
        take(run, count: count, bytes: bytes)
        return true
    }

    private mutating func take(_ run: Run, count: Int, bytes: Int) {
        waiting.append(run)
        held.messages += count
        held.bytes += bytes
        accepted += UInt64(count)
        amountChanged()
    }

    /// Messages went past it: the bus took them at once, and nothing waited before them.
    package mutating func wentPast(messages: Int) {
        accepted += UInt64(messages)
        delivered += UInt64(messages)
    }

    /// One message was received.
    @specialized(where Run == EventRun)
    package mutating func append(_ message: Run) -> Appended {
        precondition(message.count == 1, "the policies judge one message at a time")
        let bytes = message.bytes
        guard bytes <= bounds.bytes else { return refuse(.tooLarge) }
        var answer = Appended.accepted
        if !fits(bytes, limits: bounds) {
            switch overflow {
            case .block:
                shouldPauseReading = true
                return .full
            case .spill: return .full
            case .dropNewest: return refuse(.dropNewest)
            case .dropOldest:
                guard let dropped = makeRoom(for: bytes) else { return refuse(.bufferFull) }
                answer = .acceptedDroppedOldest(dropped)
            }
        }
        take(message, count: 1, bytes: bytes)
        return answer
    }

    /// Messages were received that never get into the queue (no topic, no budget, not JSON).
    package mutating func countRefused(_ reason: DropReason, messages: Int = 1) {
        refused.count(reason, messages: messages)
    }

    /// Drops the oldest waiting messages, so that at least so many bytes are free for another
    /// message; used when all buffers together are full.
    ///
    /// - Returns: What was dropped; less than asked for if there was no more.
    package mutating func dropOldest(freeing bytes: Int, reason: DropReason) -> MessageAmount {
        var dropped = MessageAmount()
        oldest: for run in waiting {
            for index in 0..<run.count {
                guard dropped.bytes < bytes else { break oldest }
                dropped.add(run.bytes(at: index))
            }
        }
        removeOldest(dropped.messages)
        release(dropped)
        discarded.count(reason, messages: dropped.messages)
        amountChanged()
        return dropped
    }

    /// The policy was edited. Lowering a bound drops nothing; it drains first.
    package mutating func policyChanged(
        bounds: MessageAmount, overflow: ConnectionSpec.Overflow
    ) {
        precondition(bounds.messages >= 1 && bounds.bytes >= 1, "a buffer that holds nothing")
        self.bounds = bounds
        self.overflow = overflow
        amountChanged()
    }

    private mutating func refuse(_ reason: DropReason) -> Appended {
        refused.count(reason)
        return .refused(reason)
    }

    /// Drops as many of the oldest as one new message needs, or nothing if that cannot help.
    ///
    /// After a bound was lowered below what is held, the new message displaces only its own like:
    /// the rest drains, as promised.
    private mutating func makeRoom(for bytes: Int) -> MessageAmount? {
        let limits = MessageAmount(
            messages: max(bounds.messages, held.messages), bytes: max(bounds.bytes, held.bytes))
        var dropped = MessageAmount()
        oldest: for run in waiting {
            for index in 0..<run.count {
                if fits(bytes, limits: limits, without: dropped) { break oldest }
                dropped.add(run.bytes(at: index))
            }
        }
        guard fits(bytes, limits: limits, without: dropped) else { return nil }
        removeOldest(dropped.messages)
        release(dropped)
        discarded.count(.dropOldest, messages: dropped.messages)
        return dropped
    }

    private mutating func removeOldest(_ count: Int) {
        var left = count
        while left > 0, let run = waiting.first {
            if run.count <= left {
                waiting.removeFirst()
                left -= run.count
            } else {
                waiting[0].removeFirst(left)
                left = 0
            }
        }
    }

    private func fits(
        _ bytes: Int, limits: MessageAmount, without dropped: MessageAmount = MessageAmount()
    ) -> Bool {
        held.messages - dropped.messages < limits.messages
            && bytes <= limits.bytes - (held.bytes - dropped.bytes)
    }

    mutating func release(_ amount: MessageAmount) {
        held.messages -= amount.messages
        held.bytes -= amount.bytes
    }

    /// Called after every change: keeps the two water marks of `block`.
    mutating func amountChanged() {
        guard overflow == .block else {
            shouldPauseReading = false
            return
        }
        if shouldPauseReading {
            let isLow =
                held.messages < (bounds.messages + 1) / 2 && held.bytes < (bounds.bytes + 1) / 2
            shouldPauseReading = !isLow
        } else {
            let isHigh =
                held.messages >= bounds.messages - bounds.messages / 8
                || held.bytes >= bounds.bytes - bounds.bytes / 8
            shouldPauseReading = isHigh
        }
    }
}

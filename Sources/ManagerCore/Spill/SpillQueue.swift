/// What of one connection's messages lies on the disk, or is on its way there: the part of policy
/// `spill` that decides.
///
/// Order is kept in this way: while anything is here, everything new comes here too; what comes back
/// goes into the queue in front, the oldest first. One operation of the disk is under way at a time.
/// What was read back stays on the disk until the bus has it, so that a crash loses nothing of it.
package struct SpillQueue: Sendable {
    /// Of messages that wait to be written, in bytes: a disk that is slower than the socket makes
    /// the socket wait.
    package static let pendingBytes = 1 << 20
    /// Of one read, in bytes.
    package static let readBytes = 1 << 20

    /// What the shell is to do with the disk now.
    package enum Operation: Sendable {
        case write([EventRun])
        /// At most so much, but one run at least.
        case read(MessageAmount)
    }

    package enum Appended: Sendable, Hashable {
        case accepted
        /// The disk is behind: offer it again later.
        case wait
        /// `buffer.spill.bytes` is reached.
        case full
    }

    /// `buffer.spill.bytes`.
    package var limit: Int
    /// On the disk and not read back.
    package private(set) var stored: MessageAmount
    package private(set) var pending: [EventRun] = []
    package private(set) var pendingAmount = MessageAmount()
    private var underWay: MessageAmount?
    private var wroteLast = false
    /// The disk does not take what waits; it is tried again when the shell says so.
    package private(set) var isBroken = false

    /// - Parameter stored: what a life before this one has left.
    package init(limit: Int, stored: MessageAmount) {
        self.limit = limit
        self.stored = stored
    }

    /// A life before this one has left so much; it is older than what waits here.
    package mutating func found(_ amount: MessageAmount) {
        stored.messages += amount.messages
        stored.bytes += amount.bytes
    }

    /// Everything that is not in the queue.
    package var held: MessageAmount {
        MessageAmount(
            messages: stored.messages + pendingAmount.messages,
            bytes: stored.bytes + pendingAmount.bytes)
    }

    /// What is new has to come here.
    package var isActive: Bool { held.messages > 0 || underWay != nil }

    package mutating func append(_ run: EventRun) -> Appended {
        let bytes = run.bytes
        guard bytes <= limit - held.bytes else { return .full }
        guard pendingAmount.messages == 0 || bytes <= Self.pendingBytes - pendingAmount.bytes
        else { return .wait }
        pending.append(run)
        pendingAmount.messages += run.count
        pendingAmount.bytes += bytes
        return .accepted
    }

    /// What waits to be written, where nothing older is on the disk and the queue has room for all
    /// of it: the disk is spared.
    package mutating func takeUnwritten(room: MessageAmount) -> [EventRun] {
        guard underWay == nil, stored.messages == 0, pendingAmount.messages <= room.messages,
            pendingAmount.bytes <= room.bytes
        else { return [] }
        defer {
            pending = []
            pendingAmount = MessageAmount()
            isBroken = false
        }
        return pending
    }

    /// The next thing to do; reading goes before writing where both are due, in turns.
    ///
    /// - Parameter room: in the queue.
    package mutating func next(room: MessageAmount) -> Operation? {
        guard underWay == nil else { return nil }
        let canRead = stored.messages > 0 && room.messages > 0 && room.bytes > 0
        let canWrite = !pending.isEmpty && !isBroken
        if canRead, !canWrite || wroteLast {
            wroteLast = false
            underWay = MessageAmount()
            return .read(
                MessageAmount(
                    messages: room.messages, bytes: min(room.bytes, Self.readBytes)))
        }
        guard canWrite else { return nil }
        wroteLast = true
        underWay = pendingAmount
        return .write(pending)
    }

    /// - Parameter written: of the runs that were to be written, so many are on the disk.
    package mutating func writeEnded(written: Int) {
        underWay = nil
        for run in pending.prefix(written) {
            stored.messages += run.count
            stored.bytes += run.bytes
            pendingAmount.messages -= run.count
            pendingAmount.bytes -= run.bytes
        }
        pending.removeFirst(min(written, pending.count))
        isBroken = !pending.isEmpty && written == 0
    }

    /// - Parameters:
    ///   - amount: of what was read, expired and damaged messages included.
    ///   - isEmpty: nothing more is on the disk.
    package mutating func readEnded(_ amount: MessageAmount, isEmpty: Bool) {
        underWay = nil
        stored.messages = isEmpty ? 0 : max(1, stored.messages - amount.messages)
        stored.bytes = isEmpty ? 0 : max(1, stored.bytes - amount.bytes)
    }

    /// The disk may work again.
    package mutating func retry() { isBroken = false }

    /// Everything is given up. - Returns: how much that is.
    package mutating func discard() -> MessageAmount {
        defer {
            stored = MessageAmount()
            pending = []
            pendingAmount = MessageAmount()
        }
        return held
    }
}

internal import DequeModule

/// The latest messages of one topic, for subscribers that come late or are slow.
///
/// Each message gets a position, from 1 up, without holes. The ring holds at most so many messages
/// and bytes, and more of what somebody is about to read (``TopicRetention``), and forgets the
/// oldest; a reader that wants what is forgotten is told how much it has missed, and slows nobody.
/// The latest message is always held, even one that is larger than the whole bound.
package struct TopicRing<Run: MessageRun>: Sendable {
    package enum Read: Sendable {
        /// In order; empty if there is nothing new. Read again from `next`.
        case messages([Run], next: UInt64)
        /// So many are forgotten; go on from `next`. With `missed` 0 the position lies in the
        /// future, as after a restart of the process: how much is missing is not known.
        case gap(missed: UInt64, next: UInt64)
    }

    /// Runs that are forgotten in one go, a tenth of a millisecond.
    package static var runsAtOnce: Int { 1024 }

    private struct Entry: Sendable {
        /// The position of the run's first message.
        var position: UInt64
        var run: Run
    }

    private let retention: TopicRetention
    private var entries = Deque<Entry>()
    /// The position of the oldest message held, or of the next one if none is.
    package private(set) var oldestPosition: UInt64 = 1
    package private(set) var count = 0
    package private(set) var bytes = 0
    /// The first position that a connected reader has not read yet.
    private var unread = UInt64.max

    package init(_ retention: TopicRetention = TopicRetention()) {
        precondition(
            retention.replay.messages >= 1 && retention.replay.bytes >= 1,
            "a ring that holds nothing")
        self.retention = retention
    }

    /// The position of the latest message; 0 before the first.
    package var newestPosition: UInt64 { oldestPosition + UInt64(count) - 1 }

    /// Adds messages.
    ///
    /// - Returns: The position of the last of them.
    @specialized(where Run == EventRun)
    @discardableResult
    package mutating func append(_ run: Run) -> UInt64 {
        entries.append(Entry(position: newestPosition + 1, run: run))
        count += run.count
        bytes += run.bytes
        trim()
        return newestPosition
    }

    /// Keeps what comes from this position on for those who are connected and have not read it;
    /// `nil` if there are none.
    ///
    /// - Returns: as ``trim()``.
    @discardableResult
    package mutating func keepUnread(from position: UInt64?) -> Bool {
        unread = position ?? .max
        return trim()
    }

    /// Forgets what is more than the replay, as far as it is read or more than the backlog.
    ///
    /// - Returns: whether there is more of that: no call forgets more than ``runsAtOnce`` runs, for
    ///   publishers wait. Each message that is added goes on.
    @discardableResult
    package mutating func trim() -> Bool {
        let replay = retention.replay
        for _ in 0..<Self.runsAtOnce {
            guard count > 1, count > replay.messages || bytes > replay.bytes,
                let oldest = entries.first?.run
            else { return false }
            let surplus = max(
                min(count - replay.messages, oldest.count),
                oldest.countReaching(bytes - replay.bytes))
            let free =
                oldestPosition < unread
                ? Int(clamping: unread - oldestPosition)
                : oldest.countReaching(bytes - retention.backlogBytes)
            let number = min(surplus, free, count - 1)
            guard number > 0 else { return false }
            forget(number)
        }
        return true
    }

    /// Forgets so many of the oldest, fewer than there are.
    private mutating func forget(_ number: Int) {
        var left = number
        while left > 0, let entry = entries.first {
            if entry.run.count <= left {
                bytes -= entry.run.bytes
                left -= entry.run.count
                entries.removeFirst()
            } else {
                bytes -= entry.run.prefix(left).bytes
                entries[0].run.removeFirst(left)
                entries[0].position += UInt64(left)
                left = 0
            }
        }
        count -= number
        oldestPosition += UInt64(number)
    }

    /// The first position a subscriber reads.
    package func position(for start: TopicStart) -> UInt64 {
        switch start {
        case .newest: newestPosition + 1
        case .oldest: oldestPosition
        case .after(let position): position == .max ? .max : position + 1
        }
    }

    /// Reads from a position on: as many as the limits allow, but at least one if there is one.
    @specialized(where Run == EventRun)
    package func read(from position: UInt64, maxCount: Int, maxBytes: Int) -> Read {
        // Position 0 is before the first message, not one of them.
        let position = max(1, position)
        guard position >= oldestPosition else {
            return .gap(missed: oldestPosition - position, next: oldestPosition)
        }
        guard position <= newestPosition + 1 else { return .gap(missed: 0, next: oldestPosition) }
        var runs: [Run] = []
        var taken = MessageAmount()
        var index = place(of: position)
        while index < entries.count, taken.messages < maxCount {
            var run = entries[index].run
            let skipped = runs.isEmpty ? Int(position - entries[index].position) : 0
            if skipped > 0 { run.removeFirst(skipped) }
            let least = runs.isEmpty ? 1 : 0
            let fitting = min(run.countWithin(maxBytes - taken.bytes), maxCount - taken.messages)
            let number = max(least, fitting)
            guard number > 0 else { break }
            let part = run.prefix(number)
            runs.append(part)
            taken.messages += number
            taken.bytes += part.bytes
            guard number == run.count else { break }
            index += 1
        }
        return .messages(runs, next: position + UInt64(taken.messages))
    }

    /// The entry that holds a position; past the last one for the next to come.
    private func place(of position: UInt64) -> Int {
        guard position <= newestPosition else { return entries.count }
        var low = 0
        var high = entries.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if entries[middle].position <= position { low = middle } else { high = middle - 1 }
        }
        return low
    }
}

/// What a topic keeps of its messages.
package struct TopicRetention: Sendable, Equatable {
    /// The latest, up to so many and so many bytes, for readers that come late or come back. Enough
    /// for one that is away for a moment, and little for a topic that nobody reads.
    package var replay: MessageAmount
    /// Bytes up to which more than that is kept of what a connected reader has not read yet: at
    /// 600,000 messages of 512 bytes a second it may stand still for a seventh of one. Once for all
    /// readers of the topic, as they read the same.
    package var backlogBytes: Int

    package init(
        replay: MessageAmount = MessageAmount(messages: 10_000, bytes: 16 << 20),
        backlogBytes: Int = 64 << 20
    ) {
        self.replay = replay
        self.backlogBytes = backlogBytes
    }
}

/// Where a subscriber begins.
package enum TopicStart: Sendable, Hashable {
    /// With the next message that is appended.
    case newest
    /// With the oldest message held.
    case oldest
    /// With the message after this position, the last one it has seen.
    case after(UInt64)
}

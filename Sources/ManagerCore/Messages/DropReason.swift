/// Why a message that was received did not reach the bus. Every drop is counted under one of these.
///
/// The raw values are the values of the metric label `reason`; they change only by adding.
package enum DropReason: String, Sendable, Hashable, CaseIterable {
    /// The connection has no topic.
    case noTopic
    /// Policy `dropOldest` made room for a newer message.
    case dropOldest
    /// Policy `dropNewest` found the buffer full.
    case dropNewest
    /// Policy `dropOldest`, but what is being published leaves no room and may not be dropped.
    case bufferFull
    /// The buffers of all connections together are at `--buffer-limit`.
    case budget
    /// Larger than the whole buffer of its connection may become.
    case tooLarge
    /// `publish.data: json`, and the message is not JSON.
    case notJSON
    /// The bus refused this message for good (too large for it, no such topic).
    case refusedByBus
    /// Policy `spill` found `buffer.spill.bytes` reached.
    case spillFull
    /// A spilled message was older than `buffer.spill.maxAge` when its turn came.
    case spillExpired
    /// The connection was deleted with messages still in its buffer.
    case connectionDeleted
    /// The process ended before the bus took it (`--drain-timeout`).
    case shutdown
    /// Another instance owns the connection now, and this one may not publish for it any more.
    case fenced
}

/// A count of dropped messages for each reason. Costs no allocation until the first drop.
package struct DropCounters: Sendable, Hashable {
    private var counts: [DropReason: UInt64] = [:]

    package init() {}

    package subscript(reason: DropReason) -> UInt64 { counts[reason, default: 0] }

    package var total: UInt64 { counts.values.reduce(0, +) }

    /// The reasons that have been counted, in the order of their declaration.
    package var nonZero: [(reason: DropReason, count: UInt64)] {
        DropReason.allCases.compactMap { reason in
            counts[reason].map { (reason, $0) }
        }
    }

    package mutating func count(_ reason: DropReason, messages: Int = 1) {
        guard messages > 0 else { return }
        counts[reason, default: 0] += UInt64(messages)
    }

    package mutating func add(_ other: DropCounters) {
        counts.merge(other.counts) { $0 + $1 }
    }
}

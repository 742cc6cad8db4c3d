package import ManagerCore

/// Traffic of many connections together, those that are gone included.
package struct FleetTotals: Sendable, Hashable {
    package var receivedTexts: UInt64 = 0
    package var receivedBinaries: UInt64 = 0
    /// Larger than `maxMessageSize`: counted, never read.
    package var receivedUnread: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    package var published: UInt64 = 0
    package var dropped = DropCounters()
    package var bufferedMessages = 0
    package var bufferedBytes = 0

    package init() {}

    package mutating func add(_ traffic: TrafficCounters) {
        receivedTexts += traffic.receivedTexts
        receivedUnread += traffic.unreadMessages
        receivedBinaries +=
            traffic.receivedMessages &- traffic.receivedTexts &- traffic.unreadMessages
        receivedBytes += traffic.receivedBytes
        published += traffic.published
        dropped.add(traffic.dropped)
        bufferedMessages += traffic.bufferedMessages
        bufferedBytes += traffic.bufferedBytes
    }
}

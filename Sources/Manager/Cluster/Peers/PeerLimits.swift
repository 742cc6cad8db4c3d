/// The bounds of what instances say to each other.
package enum PeerLimits {
    /// Messages that wait for one peer. A drain sends a few for each of 256 shards; the protocol
    /// asks again, so what is older than that is worth nothing.
    static let queuedMessages = 4_096
    /// Bytes of them: what an ask carries are the records of its shard.
    static let queuedBytes = 64 << 20
    /// Messages of one delivery.
    static let batchMessages = 256
    /// Bytes of one delivery, in all but one that is a single larger message.
    static let batchBytes = 1 << 20
    /// Bytes of the largest delivery: an ask with all records of a shard of 100,000 connections in
    /// 256 shards has one or two MiB.
    static let deliveryBytes = 64 << 20
    /// Bytes of one piece on the wire, below gRPC's 4 MiB.
    static let pieceBytes = 1 << 20
    /// For one delivery. The protocol asks again after a heartbeat; one that is stuck for longer
    /// only holds up what is newer.
    static let deliveryTimeout: Duration = .seconds(3)
    /// Peers that are connected to at one time: twice the slots of a roster. The one that was not
    /// used for longest gives way.
    static let clients = 128
    /// Bytes of one answer to a forwarded call: a page of a list has 2 MiB, a list of the older API
    /// about 200 bytes for each connection.
    static let answerBytes = 64 << 20
    /// Of names and addresses, in bytes.
    static let longestName = 1_024
    static let highestSlot: UInt32 = 65_535
    static let highestShard: UInt32 = 65_535
    /// A peer that does not answer a ping for so long is cut off. Calls that wait for it end.
    static let pingTimeout: Duration = .seconds(5)
    /// Between pings while calls are under way; the transport knows no shorter one.
    static let pingInterval: Duration = .seconds(10)
    /// How often a client may ping at the least; below that the transport closes the connection.
    static let leastPingInterval: Duration = .seconds(5)
    /// A forwarded call that is not answered for so long is given up: more than the longest Send.
    static let callTimeout: Duration = .seconds(660)
    /// An answer for a list or for the view of the cluster. A member that takes longer is shown as
    /// one that does not answer.
    static let readTimeout: Duration = .seconds(5)
    /// What a caller is told to wait before it tries again: about as long as a hand-over takes.
    static let retryAfter: Duration = .seconds(2)
}

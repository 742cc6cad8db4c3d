package import ManagerCore
import Synchronization

/// What the cluster node tells the connections of this instance, in the order it happened.
///
/// Called from one place at a time. A call returns at once; what it takes longer to do is reported
/// to ``ClusterReports``. Calls for a title that is not known are ignored.
package protocol ShardConnections: Sendable {
    /// Serve this shard under this title. Its records come into the store's memory afterwards, and
    /// the loop opens them; a shadow of the same shard goes on under the title.
    func takeUp(_ gate: ShardGate, origin: ShardHeader.Origin)
    /// A record of the shard is live, or has changed, and the store's memory has it: a shadow of it
    /// becomes the connection.
    func opened(_ gate: ShardGate, _ record: LiveRecord)
    /// Read no more from the sockets, publish what was read, then report `drained` with this number;
    /// a later one replaces it.
    func stopReading(_ gate: ShardGate, stop: Int)
    /// Close the sockets of the shard, keep buffers: it is about to be released.
    func hangUp(_ gate: ShardGate)
    /// The hand-over was called off: dial, read and publish again.
    func resume(_ gate: ShardGate)
    /// The title is gone: close its sockets, drop its buffers and count them.
    func drop(_ gate: ShardGate, _ cause: ClusterAction.DropCause)
    /// Report `digests`.
    func collectDigests(_ gate: ShardGate)
    /// Dial these in the shadow, read and buffer, publish nothing; report `shadowReady`.
    func shadow(shard: Int, from: Title, _ records: [LiveRecord])
    func keepDigests(shard: Int, from: Title, _ digests: [ConnectionDigests])
    func dropShadow(shard: Int, from: Title)
    /// Fenced for too long: close every socket, and dial again after `redial`.
    func closeSockets()
    func redial()
}

/// What the connections report back. Any thread.
package protocol ClusterReports: Sendable {
    /// Nothing of the shard is left to be published and no publish call is under way.
    func drained(shard: Int, title: Title, stop: Int, _ digests: [ConnectionDigests])
    func digests(shard: Int, title: Title, _ digests: [ConnectionDigests])
    func shadowReady(shard: Int, from: Title)
    /// A socket of the shard dropped.
    func socketDropped(shard: Int, title: Title)
}

/// Passes reports on to whom they are for, once that is known.
package final class ClusterRelay: ClusterReports {
    private let target = Mutex<(any ClusterReports)?>(nil)

    package init() {}

    package func connect(_ reports: any ClusterReports) { target.withLock { $0 = reports } }

    private var reports: (any ClusterReports)? { target.withLock { $0 } }

    package func drained(
        shard: Int, title: Title, stop: Int, _ digests: [ConnectionDigests]
    ) {
        reports?.drained(shard: shard, title: title, stop: stop, digests)
    }

    package func digests(shard: Int, title: Title, _ digests: [ConnectionDigests]) {
        reports?.digests(shard: shard, title: title, digests)
    }

    package func shadowReady(shard: Int, from: Title) {
        reports?.shadowReady(shard: shard, from: from)
    }

    package func socketDropped(shard: Int, title: Title) {
        reports?.socketDropped(shard: shard, title: title)
    }
}

/// What the cluster node tells the memory tier, in the order it happened. Returns at once.
package protocol ShardMemory: Sendable {
    /// Records of this title follow.
    func takeUp(_ gate: ShardGate)
    /// A record is live, or has changed. `name` of it is an index entry, see ``ObjectKey``.
    func opened(_ gate: ShardGate, _ record: LiveRecord)
    /// A record is gone. - Parameter name: an index entry.
    func closed(_ gate: ShardGate, name: String)
    /// The title is gone: forget its records.
    func dropped(_ gate: ShardGate)
}

/// Who acts for a name now, as this instance sees it.
package enum ShardOwner: Sendable, Hashable {
    case me(epoch: UInt64)
    /// - Parameter address: where its peers reach it, `host:port`.
    case other(instance: String, address: String, title: Title)
    /// Nobody, or nobody can be reached, or it is being handed over: try again in a while.
    case nobody
}

/// What the rooms behind the API ask of the cluster. Any thread.
package protocol Cluster: Sendable {
    /// - Parameter name: of an object, not an index entry.
    func owner(of name: String) -> ShardOwner
    /// The title this instance holds to the shard of a name; `nil` without one.
    func gate(for name: String) -> ShardGate?
    /// Makes changes of records, here or at their owners; a result for each, in the same order.
    func change(_ changes: [RecordChange]) async -> [CallResult]
    /// Living members, this one first.
    var members: [ClusterPeer] { get }
}

/// One living member.
package struct ClusterPeer: Sendable, Hashable {
    package var instance: String
    package var address: String
    package var isMe: Bool
    package var isDraining: Bool

    package init(instance: String, address: String, isMe: Bool, isDraining: Bool) {
        self.instance = instance
        self.address = address
        self.isMe = isMe
        self.isDraining = isDraining
    }
}

/// Carries messages to peers; any of them may be lost, late or repeated.
package protocol PeerLink: Sendable {
    /// Returns at once. Messages to one address travel in order where they can.
    func send(_ messages: [PeerMessage], to address: String)
}

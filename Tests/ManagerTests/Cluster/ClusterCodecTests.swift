import Manager
import ManagerCore
import Testing

struct ClusterCodecTests {
    private let incarnation = Incarnation(high: 0x0123, low: .max)
    private var identity: Identity { Identity(slot: 3, slotEpoch: 7, incarnation: incarnation) }
    private var nonce: Nonce { Nonce(author: incarnation, counter: 42) }

    private func goesRound(_ key: ClusterKey, _ value: ClusterValue) throws {
        #expect(try ClusterCodec.decode(key, ClusterCodec.encode(value)) == value)
    }

    @Test func everyValueGoesRound() throws {
        try goesRound(
            .meta, .meta(ClusterMeta(nonce: nonce, clusterID: incarnation, shards: 256)))
        for state in [RosterSlot.State.free, .alive, .draining, .away, .dead] {
            var slot = RosterSlot(
                nonce: nonce, state: state, identity: identity, node: "n\"1", hostID: "h",
                isLocked: true, address: "127.0.0.1:5002", weight: 2, hold: .seconds(8))
            slot.isCordoned = state == .alive
            try goesRound(.slot(3), .slot(slot))
        }
        for how in [ShardHeader.How.first, .takeover, .handover, .release, .reclaim] {
            let header = ShardHeader(
                nonce: nonce, owner: how == .release ? nil : identity, node: "n", shardEpoch: 9,
                pages: 2, isClean: how == .first,
                origin: .init(owner: how == .first ? nil : identity, shardEpoch: 8, how: how))
            try goesRound(.header(1), .header(header))
        }
        try goesRound(
            .page(shard: 1, page: 0),
            .page(IndexPage(nonce: nonce, shardEpoch: 9, names: ["a", "connset/b"])))
    }

    @Test func recordsKeepTheirContentByteForByte() throws {
        for content in ["", "{}", #"{"v":1,"record":{"record":1}}"#] {
            let record = OwnedRecord(
                nonce: nonce, shardEpoch: 9, isTombstone: content.isEmpty, uid: .max, revision: 5,
                content: Array(content.utf8))
            try goesRound(.record("a"), .record(record))
        }
    }

    @Test func aProcessThatWasAloneLeavesWhatCanBeRead() throws {
        let bytes = Array(#"{"v":1,"shardEpoch":77,"pages":2}"#.utf8)
        guard case .header(let header) = try ClusterCodec.decode(.header(4), bytes) else {
            Issue.record("no header")
            return
        }
        #expect(header.owner == nil && header.isClean)
        #expect((header.shardEpoch, header.pages) == (77, 2))
        let live = Array(#"{"spec":{},"v":1,"kind":"live","shardEpoch":77,"uid":"u-1"}"#.utf8)
        let record = try ClusterCodec.record(live, key: "wsm/conn/a")
        #expect(record.content == live && record.uid == LiveRecord.key(ofUID: "u-1"))
        let tombstone = Array(#"{"v":1,"kind":"tombstone","shardEpoch":77}"#.utf8)
        #expect(try ClusterCodec.record(tombstone, key: "wsm/conn/a").isTombstone)
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"v":2,"nonce":"x"}"#, #"{"v":1,"state":"odd","holdMs":1}"#,
        #"{"v":1,"nonce":"zz:1","shardEpoch":1,"names":[]}"#, #","record":}"#,
    ])
    func whatCannotBeReadIsAnErrorNamingTheKey(_ text: String) {
        for key in [ClusterKey.slot(1), .header(1), .page(shard: 1, page: 0), .record("a")] {
            let error = #expect(throws: StateStoreError.self) {
                try ClusterCodec.decode(key, Array(text.utf8))
            }
            #expect(error?.message.contains(ClusterCodec.storeKey(key)) == true)
        }
    }
}

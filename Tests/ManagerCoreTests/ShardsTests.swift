import ManagerCore
import Testing

@Suite struct ShardsTests {
    /// FNV-1a over 64 bits, from the reference's test vectors, modulo 256.
    @Test(
        arguments: [
            ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] as [(String, UInt64)])
    func aShardIsTheReferenceHashModulo256(_ name: String, _ hash: UInt64) {
        #expect(Shards.shard(of: name) == Int(hash % 256))
    }

    @Test func manyNamesSpreadOverAllShards() {
        var counts = Array(repeating: 0, count: Shards.count)
        for number in 0..<25_600 { counts[Shards.shard(of: "conn-\(number)")] += 1 }
        #expect(counts.allSatisfy { (40...180).contains($0) }, "\(counts.min() as Any)")
    }

    @Test func anEntryOnAPageReadsBackAsItsKey() {
        for key in [
            ObjectKey.connection("a.b"), .connectionSet("a.b"), .applySet("a.b"),
            .connection("set"), .connection("connset"),
        ] {
            #expect(ObjectKey(indexEntry: key.indexEntry) == key)
            #expect(key.shard == Shards.shard(of: key.name))
        }
    }

    @Test func keysOfTheThreeKindsAreApart() {
        let keys = [ObjectKey.connection("a"), .connectionSet("a"), .applySet("a")]
        #expect(
            keys.map(\.storeKey) == ["wsm/conn/a", "wsm/connset/a", "wsm/set/a"])
        #expect(Set(keys.map(\.indexEntry)).count == 3)
        #expect(Shards.headerKey(7) == "wsm/shard/7")
        #expect(Shards.pageKey(7, 0) == "wsm/shard/7/page/0")
    }
}

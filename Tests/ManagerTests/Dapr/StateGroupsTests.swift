import Testing

@testable import Manager

struct StateGroupsTests {
    private func stages(_ keys: [String], bytes: Int = 1, maxBytes: Int = 1 << 20) -> [[[Int]]] {
        StateGroups(
            keys.map {
                StateWrite(
                    key: $0, value: [UInt8](repeating: 0, count: bytes), condition: .absent)
            }, maxBytes: maxBytes
        ).stages
    }

    @Test func headersGoBeforePagesAndPagesBeforeRecords() {
        let keys = [
            "wsm/shard/1", "wsm/shard/2", "wsm/shard/1/page/0", "wsm/set/a/revision/1/0",
            "wsm/conn/a.b", "wsm/connset/a", "wsm/set/a",
        ]
        #expect(stages(keys) == [[[0, 1]], [[2, 3]], [[4, 5, 6]]])
    }

    @Test func aKeyThatComesAgainWaits() {
        #expect(stages(["a", "b", "a", "c", "a"]) == [[[0, 1]], [[2, 3]], [[4]]])
    }

    @Test func aCallIsBoundByCountAndBytes() {
        let many = stages((0..<250).map { "wsm/conn/\($0)" })
        #expect(many.count == 1)
        #expect(many[0].map(\.count) == [100, 100, 50])
        let large = stages((0..<5).map { "wsm/conn/\($0)" }, bytes: 1_000, maxBytes: 3_000)
        #expect(large == [[[0, 1], [2, 3], [4]]])
        #expect(stages(["a", "b"], bytes: 5_000, maxBytes: 3_000) == [[[0], [1]]])
    }

    @Test func noWritesAreNoCalls() {
        #expect(stages([]).isEmpty)
    }
}

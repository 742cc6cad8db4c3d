import ManagerCore
import Testing

struct ApplySetRecordTests {
    private func record(_ revisions: [(digest: String, by: String)]) -> ApplySetRecord {
        var record = ApplySetRecord(epoch: 0, name: "s", uid: "u")
        for (index, revision) in revisions.enumerated() {
            record.history.append(
                ApplySetRecord.Revision(
                    number: Int64(index + 1), digest: revision.digest, by: revision.by,
                    at: WallTime(nanosecondsSinceEpoch: Int64(index + 1)), summary: ""))
        }
        return record
    }

    private func end(_ digest: String, _ record: ApplySetRecord) -> Int64? {
        record.end(of: digest) { $0 == "m" }?.nanosecondsSinceEpoch
    }

    @Test func aRevisionEndsWithTheNextOfSuchAnAuthor() {
        let history = record([("a", "m"), ("b", "rob"), ("c", "m"), ("d", "m")])
        #expect(end("a", history) == 3)
        #expect(end("c", history) == 4)
        #expect(end("d", history) == nil, "it is in force")
        #expect(end("x", history) == nil, "it is not known")
        #expect(end("a", record([("a", "m"), ("b", "rob")])) == nil)
    }

    @Test func theLastTimeCounts() {
        let history = record([("a", "m"), ("b", "m"), ("a", "m")])
        #expect(end("a", history) == nil)
        #expect(end("b", history) == 3)
    }
}

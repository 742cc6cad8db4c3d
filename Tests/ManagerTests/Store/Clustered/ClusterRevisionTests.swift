import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

/// The manifests of revisions in a cluster.
@Suite(.timeLimit(.minutes(1))) struct ClusterRevisionTests {
    private let a = name("a", of: 0)
    private let b = name("b", of: 1)

    private func pages(_ cluster: ShardedCluster) -> [String] {
        cluster.store.entries.keys.filter { $0.contains("/revision/") }.sorted()
    }

    private func expectWhole(_ store: TwoTierStore, revisions: Int) async throws {
        let record = try #require(try await store.find(applySet: "s"))
        #expect(record.history.count == revisions)
        for revision in record.history where revision.content != nil {
            let text = try await store.revisionText(of: "s", revision)
            #expect(
                SetHistory.documents(in: text, digest: revision.digest) != nil,
                "revision \(revision.number)")
        }
    }

    @Test func pagesStandBeforeTheRecordUnderTheDigest() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        cluster.inject { _ in .unavailable }
        _ = await failure { try await stores[0].apply(connection(a)) }
        let digest = try #require(pages(cluster).first).split(separator: "/")[4]
        #expect(digest.hasPrefix("1-") && digest.count == 18)
        cluster.inject(nil)
        try await stores[1].apply(connection(a))
        #expect(pages(cluster).count == 1, "the same content is the same page")
        for store in stores { try await expectWhole(store, revisions: 1) }
    }

    @Test func ofTwoRevisionsWithOneNumberEachFindsItsOwnPages() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        cluster.interrupt { [b] in _ = try? await stores[1].apply(connection(b)) }
        try await stores[0].apply(connection(a))
        for store in stores { try await expectWhole(store, revisions: 2) }
        #expect(pages(cluster).count == 2, "the pages of the one that was refused are gone")
    }

    @Test func pagesGoWithTheirRevision() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        let count = ApplySetRecord.keptRevisions + 4
        for step in 0..<count {
            try await stores[step % 2].apply(connection(a, topic: "t\(step)"))
        }
        // Those of the last one that was let go are deleted by the next change.
        #expect(pages(cluster).count == ApplySetRecord.keptRevisions + 1)
        #expect(try cluster.set()?.dropped == [4])
        try await expectWhole(stores[0], revisions: count)
    }

    @Test func aRevisionThatCouldNotBeKeptIsNotMade() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        cluster.store.inject { $0.key.contains("/revision/") ? .unknownNotApplied : nil }
        let sentence = await failure { try await stores[0].apply(connection(a)) }
        #expect(sentence?.contains("wsm/set/s/revision/1-") == true)
        #expect(cluster.names.isEmpty)
        cluster.store.inject { $0.key.contains("/revision/") ? .unknownButApplied : nil }
        try await stores[0].apply(connection(a))
        try await expectWhole(stores[0], revisions: 1)
    }

    @Test func aRevisionOfTheTimeAloneIsReadAndGoesToo() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].apply(connection(a))
        // As a process that was alone wrote it: no digest in the key.
        var record = try #require(try cluster.set())
        let text = try await stores[0].revisionText(of: "s", record.history[0])
        let key = RevisionKey(set: "s", revision: 1, page: 0)
        cluster.store.plant(key.storeKey, RecordCodec.revisionPage(key, epoch: 1, text: text))
        record.history[0].content?.isUnderDigest = false
        try await stores[0].transact { [record] in $0.put(record) }
        try await expectWhole(stores[1], revisions: 1)
        for step in 0..<ApplySetRecord.keptRevisions + 1 {
            try await stores[0].apply(connection(a, topic: "t\(step)"))
        }
        #expect(cluster.store.entries[key.storeKey] == nil)
    }
}

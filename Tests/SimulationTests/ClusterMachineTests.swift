import ManagerCore
import Testing

@Suite struct ClusterTimingTests {
    @Test func bothProfilesKeepEveryRelation() {
        #expect(ClusterTiming.standard.faults.isEmpty)
        #expect(ClusterTiming.fast.faults.isEmpty)
    }

    @Test func theDriftThatTheDefaultsBearIsElevenPercent() {
        var timing = ClusterTiming.standard
        timing.driftPPM = 110_000
        #expect(timing.faults.isEmpty)
        timing.driftPPM = 112_000
        #expect(timing.faults.count == 1)
    }

    @Test func aBrokenRelationIsNamedWithItsNumbers() {
        var timing = ClusterTiming.standard
        timing.suspicion = .seconds(8)
        #expect(timing.faults.contains { $0.contains("8.0 seconds") && $0.contains("lease") })
    }
}

@Suite struct LeaseTests {
    private let start = Moment(.seconds(100))

    @Test func aHeartbeatGrantsFromItsBegin() {
        var lease = Lease(length: .seconds(6))
        lease.joined(began: start)
        #expect(lease.isValid(now: start + .milliseconds(5999)))
        #expect(!lease.isValid(now: start + .seconds(6)))
    }

    @Test func onceFencedOnlyALaterHeartbeatAndALookAtTheHeadersHelp() {
        var lease = Lease(length: .seconds(6))
        lease.joined(began: start)
        let fenced = start + .seconds(7)
        let isFenced = lease.expire(now: fenced)
        let helpsTooEarly = lease.beat(began: start + .seconds(5))
        let helps = lease.beat(began: fenced + .seconds(1))
        #expect(isFenced && !helpsTooEarly && helps)
        #expect(!lease.isValid(now: fenced + .seconds(1)))
        lease.confirmed(now: fenced + .seconds(2))
        #expect(lease.isValid(now: fenced + .seconds(2)))
    }
}

@Suite struct DigestMatchTests {
    @Test func theLongestSuffixAtOnePlaceIsDropped() {
        #expect(
            DigestMatch(published: [1, 2, 3, 4, 5], buffered: [3, 4, 5, 6]) == .exact(drop: 3))
        #expect(DigestMatch(published: [1, 2, 3], buffered: [1, 2, 3]) == .exact(drop: 3))
    }

    @Test func anHeirThatIsBehindDropsWhatItHasAndWhatIsPending() {
        #expect(
            DigestMatch(published: [1, 2, 3, 4, 5, 6], buffered: [2, 3, 4])
                == .behind(drop: 3, pending: [5, 6]))
        // What was published is known from some frame on only.
        #expect(
            DigestMatch(published: [3, 4, 5, 6], buffered: [1, 2, 3, 4, 5])
                == .behind(drop: 5, pending: [6]))
        // A frame that the old owner has not published must not be dropped.
        #expect(DigestMatch(published: [1, 2, 3, 4, 5, 6], buffered: [9, 2, 3, 4]) == .none)
        #expect(DigestMatch(published: [1, 2, 3, 4], buffered: [2, 3]) == .none)
        #expect(
            DigestMatch(published: [1, 2, 3, 1, 2, 3, 4], buffered: [1, 2, 3]) == .ambiguous)
    }

    @Test func pendingFramesAreTakenInOrderUntilOneIsNotTheNext() throws {
        let match = DigestMatch(published: [1, 2, 3, 4, 5, 6], buffered: [1, 2, 3])
        var pending = try #require(PendingFrames(match))
        let taken = [4, 5, 7, 6].map { pending.takes($0) }
        #expect(taken == [true, true, false, false])
        #expect(pending.isEmpty)
        #expect(PendingFrames(.exact(drop: 3)) == nil)
    }

    @Test func equalFramesAreAmbiguousAndFewProveNothing() {
        #expect(DigestMatch(published: [7, 7, 7], buffered: [7, 7, 7, 7]) == .ambiguous)
        #expect(DigestMatch(published: [1, 2, 3], buffered: [2, 3, 4]) == .none)
        #expect(DigestMatch(published: [], buffered: [1]) == .none)
        #expect(DigestMatch(published: [1, 2, 3], buffered: []) == .none)
    }
}

@Suite struct PlacementTests {
    private func node(_ name: String, weight: Int = 1, slot: Int) -> Placement.Node {
        Placement.Node(
            name: name, weight: weight, isAway: false,
            identity: Identity(slot: slot, slotEpoch: 1, incarnation: .init(high: 1, low: 2)))
    }

    @Test func everyShardHasEveryRankOnce() {
        let placement = Placement(
            nodes: (0..<4).map { node("n\($0)", slot: $0) }, shards: 64)
        for shard in 0..<64 {
            let ranks = (0..<4).map {
                placement.rank(shard: shard, node: $0, loads: [16, 16, 16, 16])
            }
            #expect(ranks.sorted() == [0, 1, 2, 3])
        }
    }

    @Test func weightsShareInProportion() {
        let placement = Placement(
            nodes: [node("a", weight: 3, slot: 0), node("b", slot: 1)], shards: 4000)
        let first = (0..<4000).count {
            placement.score(shard: $0, node: 0) > placement.score(shard: $0, node: 1)
        }
        #expect((2900...3100).contains(first))
        #expect(placement.share(of: 0) == 3000)
    }

    @Test func balancingEndsWithinOneOfTheShare() {
        let placement = Placement(
            nodes: (0..<3).map { node("n\($0)", slot: $0) }, shards: 64)
        var loads = [64, 0, 0]
        var moves = 0
        while let from = loads.indices.first(where: { node in
            placement.heir(of: moves % 64, from: node, loads: loads) != nil
        }), let to = placement.heir(of: moves % 64, from: from, loads: loads) {
            loads[from] -= 1
            loads[to] += 1
            moves += 1
        }
        #expect(loads.allSatisfy { (21...22).contains($0) })
        #expect(moves <= 43)
    }
}

// Which shards this member should have, and which it gives away.
extension ClusterMember {
    private var placement: Placement {
        Placement(nodes: roster.nodes(now: now, timing: timing), shards: seats.count)
    }

    func loads(_ placement: Placement) -> [Int] {
        var loads = Array(repeating: 0, count: placement.nodes.count)
        for seat in seats {
            let owner = seat.owned?.outgoing?.heir?.identity ?? seat.header?.owner
            guard let owner else { continue }
            if let node = placement.nodes.firstIndex(where: { $0.identity == owner }) {
                loads[node] += 1
            }
        }
        return loads
    }

    func rank(of shard: Int) -> Int {
        let placement = placement
        guard let mine = placement.index(of: configuration.node) else { return 0 }
        if seats[shard].header?.node == configuration.node { return 0 }
        return placement.rank(shard: shard, node: mine, loads: loads(placement))
    }

    /// Whether it is good for balance to take one more.
    func hasRoom() -> Bool {
        let placement = placement
        guard let mine = placement.index(of: configuration.node) else { return false }
        return loads(placement)[mine] + incoming.count < placement.limit(of: mine)
    }

    /// Gives away what others should have, by hand-over, if the roster has been quiet.
    mutating func balance() {
        guard mayClaim, !isUnrestful, now - roster.changedAt >= timing.settle else { return }
        let placement = placement
        guard let mine = placement.index(of: configuration.node) else { return }
        var moves = seats.count { $0.owned?.outgoing != nil }
        let owned = seats.indices.filter { seats[$0].owned != nil }.sorted {
            (placement.score(shard: $0, node: mine), $0) < (
                placement.score(shard: $1, node: mine), $1
            )
        }
        for shard in owned where moves < configuration.movesAtOnce {
            guard isMovable(shard),
                let node = placement.heir(of: shard, from: mine, loads: loads(placement)),
                let heir = roster.holder(placement.nodes[node].identity), heir.state == .alive
            else { continue }
            moves += 1
            beginHandOver(shard, to: [heir], isDrain: false)
        }
    }

    private func isMovable(_ shard: Int) -> Bool {
        let seat = seats[shard]
        guard let owned = seat.owned else { return false }
        return owned.outgoing == nil && owned.records.isReady && seat.header?.isClean == true
            && now >= seat.restsUntil
    }
}

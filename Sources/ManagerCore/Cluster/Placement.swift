/// Which node a shard is wanted on: rendezvous hashing with weights, bounded to within one shard of
/// each node's fair share.
///
/// A preference, never a precondition: two members whose views differ may expect different things,
/// and any living member may take a shard that nobody owns.
package struct Placement: Sendable {
    package struct Node: Sendable, Hashable {
        package var name: String
        /// At least 1; a node of weight 2 gets twice the shards.
        package var weight: Int
        /// Announced to be back soon: keeps its place, takes nothing meanwhile.
        package var isAway: Bool
        package var identity: Identity

        package init(name: String, weight: Int, isAway: Bool, identity: Identity) {
            self.name = name
            self.weight = max(1, weight)
            self.isAway = isAway
            self.identity = identity
        }
    }

    package let nodes: [Node]
    private let shards: Int
    private let hashes: [UInt64]
    private let totalWeight: Int

    /// Of several slots of one node the one that is held counts, else the first.
    package init(nodes candidates: [Node], shards: Int) {
        var nodes: [Node] = []
        for node in candidates {
            guard let index = nodes.firstIndex(where: { $0.name == node.name }) else {
                nodes.append(node)
                continue
            }
            if nodes[index].isAway && !node.isAway { nodes[index] = node }
        }
        self.nodes = nodes
        self.shards = shards
        hashes = nodes.map { Self.hash($0.name) }
        totalWeight = max(1, nodes.reduce(0) { $0 + $1.weight })
    }

    /// The fair share of a node, rounded down; its load should lie within one above it.
    package func share(of node: Int) -> Int {
        shards * nodes[node].weight / totalWeight
    }

    /// The most that a node takes for balance: its share, and one more only if shards are left over
    /// when all have theirs. Givers act on views of some seconds ago, each for itself; who takes
    /// knows best what it holds.
    package func limit(of node: Int) -> Int {
        let isLeftOver = nodes.indices.reduce(0) { $0 + share(of: $1) } < shards
        return share(of: node) + (isLeftOver ? 1 : 0)
    }

    package func index(of name: String) -> Int? { nodes.firstIndex { $0.name == name } }

    /// The more a node is wanted for a shard, the higher.
    package func score(shard: Int, node: Int) -> Double {
        let mixed = Self.mix(hashes[node] ^ (UInt64(shard) &* 0x9E37_79B9_7F4A_7C15))
        // In (0, 1): 53 bits and a half.
        let unit = (Double(mixed >> 11) + 0.5) * 0x1p-53
        return Double(nodes[node].weight) / -Self.naturalLogarithm(unit)
    }

    /// The place of a node among those that would claim a shard that nobody owns: first those with
    /// room under their share, by score.
    package func rank(shard: Int, node: Int, loads: [Int]) -> Int {
        let mine = (hasRoom(node, loads), score(shard: shard, node: node))
        return nodes.indices.count { other in
            guard other != node, !nodes[other].isAway else { return false }
            let theirs = (hasRoom(other, loads), score(shard: shard, node: other))
            if theirs.0 != mine.0 { return theirs.0 }
            return theirs.1 > mine.1 || (theirs.1 == mine.1 && other < node)
        }
    }

    private func hasRoom(_ node: Int, _ loads: [Int]) -> Bool { loads[node] < limit(of: node) }

    /// Whether moving one shard from one node to another brings both nearer to their shares.
    package func evens(from: Int, to: Int, loads: [Int]) -> Bool {
        guard from != to, !nodes[to].isAway else { return false }
        let excess = loads[from] - share(of: from)
        let lack = share(of: to) - loads[to]
        return (excess > 1 && lack >= 0) || (excess > 0 && lack > 0)
    }

    /// The node that a shard moves to for balance, if one should: from a node with more than its
    /// share to the neediest that would rather have it.
    package func heir(of shard: Int, from: Int, loads: [Int]) -> Int? {
        nodes.indices.filter { evens(from: from, to: $0, loads: loads) }
            .max { score(shard: shard, node: $0) < score(shard: shard, node: $1) }
    }

    private static func hash(_ name: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x0000_0100_0000_01b3
        }
        return mix(hash)
    }

    /// The finaliser of SplitMix64.
    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// The same on every platform, which a C library's need not be: all members must agree.
    private static func naturalLogarithm(_ value: Double) -> Double {
        let ratio = (value.significand - 1) / (value.significand + 1)
        var power = ratio
        var sum = 0.0
        for term in 0..<16 {
            sum += power / Double(2 * term + 1)
            power *= ratio * ratio
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    }
}

package import GRPCCore

/// Shards as they stand in the metadata of an answer: which of them its instance served while it
/// answered.
package struct ShardMap: Sendable, Hashable {
    package static let key = "wsm-served"
    /// Of the text: four digits stand for 16 shards.
    private static let longestText = 16_384

    package var shards: Set<Int>

    package init(_ shards: Set<Int>) {
        self.shards = shards
    }

    /// Hexadecimal, four shards a digit, the lowest shard first.
    package var text: String {
        let count = (shards.max() ?? -1) / 4 + 1
        return String(
            (0..<max(0, count)).map { digit -> Character in
                var value = 0
                for bit in 0..<4 where shards.contains(digit * 4 + bit) { value |= 1 << bit }
                return Character(String(value, radix: 16))
            })
    }

    /// - Returns: `nil` unless the metadata has one map.
    package init?(_ metadata: Metadata) {
        let texts = Array(metadata[stringValues: Self.key])
        guard texts.count == 1, texts[0].utf8.count <= Self.longestText else { return nil }
        shards = []
        for (index, digit) in texts[0].enumerated() {
            guard let value = digit.hexDigitValue else { return nil }
            for bit in 0..<4 where value & 1 << bit != 0 { shards.insert(index * 4 + bit) }
        }
    }
}

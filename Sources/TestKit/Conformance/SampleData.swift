/// Data of the kinds that feeds carry, the same in every run.
package enum SampleData {
    package struct Kind: Sendable {
        package let name: String
        package let isText: Bool
        fileprivate let bytes: [UInt8]
    }

    /// JSON, a bitmap, prose, HTML, and what is compressed already.
    package static let kinds: [Kind] = [
        Kind(name: "json", isText: true, bytes: json),
        Kind(name: "bitmap", isText: false, bytes: bitmap),
        Kind(name: "prose", isText: false, bytes: prose),
        Kind(name: "html", isText: true, bytes: html),
        Kind(name: "compressed", isText: false, bytes: noise),
    ]

    /// Bytes of data of each kind.
    private static let size = 300_000

    package static func repeated(_ text: String, _ count: Int) -> [UInt8] {
        let bytes = Array(text.utf8)
        var result = [UInt8](repeating: 0, count: count)
        for index in 0..<count { result[index] = bytes[index % bytes.count] }
        return result
    }

    /// Reads a kind of data round and round.
    package struct Reader: Sendable {
        private let kind: Kind
        private var position = 0

        package init(_ kind: Kind) { self.kind = kind }

        /// The next `count` bytes; of text a few more, to the end of the character.
        package mutating func next(_ count: Int) -> [UInt8] {
            let bytes = self.kind.bytes
            if self.position + count + 4 > bytes.count { self.position = 0 }
            var end = self.position + count
            while self.kind.isText, bytes[end] & 0xC0 == 0x80 { end += 1 }
            defer { self.position = end }
            return Array(bytes[self.position..<end])
        }
    }

    private static func fill(_ part: (inout SplitMix64, Int) -> [UInt8]) -> [UInt8] {
        var generator = SplitMix64(seed: 20)
        var bytes: [UInt8] = []
        var index = 0
        while bytes.count < self.size {
            bytes += part(&generator, index)
            index += 1
        }
        return bytes
    }

    private static let words = [
        "feed", "Straße", "κόσμος", "trade", "価格", "open", "the", "and", "river", "night", "€",
        "lorem", "Faust", "wind", "of", "light",
    ]

    private static let json = fill { generator, index in
        let word = Self.words[Int(generator.next() % 16)]
        let (a, b) = (generator.next() % 100_000, generator.next() % 1000)
        return Array(#"{"id":\#(index),"sym":"\#(word)","px":\#(a).\#(b),"ok":true},"#.utf8)
    }

    private static let html = fill { generator, index in
        let word = Self.words[Int(generator.next() % 16)]
        return Array("<tr class=\"row\(index % 2)\"><td>\(index)</td><td>\(word)</td></tr>\n".utf8)
    }

    private static let prose = fill { generator, _ in
        Array((Self.words[Int(generator.next() % 16)] + " ").utf8)
    }

    private static let bitmap = fill { generator, index in
        (0..<512).map { UInt8(truncatingIfNeeded: ($0 + index) / 4 + Int(generator.next() & 3)) }
    }

    private static let noise = fill { generator, _ in
        let value = generator.next()
        return (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

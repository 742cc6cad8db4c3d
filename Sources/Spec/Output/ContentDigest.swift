internal import Crypto

/// SHA-256 over a sequence of texts and bytes, each with its length before it, so that two sequences
/// with one digest are the same sequence.
package struct ContentDigest {
    private var hasher = SHA256()

    package init() {}

    package mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            addLength(bytes.count)
            hasher.update(bufferPointer: UnsafeRawBufferPointer(bytes))
        }
    }

    package mutating func add(_ bytes: [UInt8]) {
        addLength(bytes.count)
        bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
    }

    package mutating func add(_ number: Int64) {
        withUnsafeBytes(of: number.littleEndian) { hasher.update(bufferPointer: $0) }
    }

    /// In lower-case hex.
    package func finalize() -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = hasher.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0x0F)]] }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func addLength(_ count: Int) { add(Int64(count)) }
}

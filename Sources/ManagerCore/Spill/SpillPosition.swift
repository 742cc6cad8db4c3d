/// A place in the files of one connection: of the next message to be read, or to be published.
package struct SpillPosition: Sendable, Hashable, Comparable {
    package var segment: UInt64
    /// Of a record, in bytes.
    package var offset: Int
    /// Messages of the record that come before this place.
    package var skipped: Int

    package init(segment: UInt64, offset: Int = 0, skipped: Int = 0) {
        self.segment = segment
        self.offset = offset
        self.skipped = skipped
    }

    package static func < (left: SpillPosition, right: SpillPosition) -> Bool {
        (left.segment, left.offset, left.skipped) < (right.segment, right.offset, right.skipped)
    }

    /// For the mark of what is done: with a checksum, so that a torn write is none.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for number in [segment, UInt64(offset), UInt64(skipped)] {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        let sum = CRC32.sum(of: bytes[...])
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: sum >> shift))
        }
        return bytes
    }

    /// - Returns: `nil` for anything that ``bytes`` did not write.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 28 else { return nil }
        let numbers = stride(from: 0, to: 24, by: 8).map { start in
            bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        guard numbers[1] <= UInt64(Int32.max), numbers[2] <= UInt64(Int32.max) else { return nil }
        self.init(segment: numbers[0], offset: Int(numbers[1]), skipped: Int(numbers[2]))
        guard self.bytes == bytes else { return nil }
    }
}

/// Writes the parts of a protobuf message (encoding of proto3) into a byte array.
enum ProtobufBytes {
    enum WireType: UInt8 {
        case varint = 0
        case bytes = 2
    }

    /// Of a field with a number up to 15: those have tags of one byte.
    static func tag(_ field: UInt8, _ type: WireType) -> UInt8 { field << 3 | type.rawValue }

    /// Appends a number as a varint.
    static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a field of bytes, also an empty one.
    static func append(
        _ value: UnsafeBufferPointer<UInt8>, as field: UInt8, to bytes: inout [UInt8]
    ) {
        bytes.append(tag(field, .bytes))
        append(UInt64(value.count), to: &bytes)
        bytes.append(contentsOf: value)
    }

    /// Appends a field with a text; an empty one is left out.
    static func append(_ text: String, as field: UInt8, to bytes: inout [UInt8]) {
        guard !text.isEmpty else { return }
        var text = text
        text.withUTF8 { append($0, as: field, to: &bytes) }
    }

    /// How many decimal digits a number has.
    static func digits(_ number: UInt64) -> Int {
        var count = 1
        var rest = number / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }

    /// Bytes of a varint.
    static func size(_ number: UInt64) -> Int {
        (63 - (number | 1).leadingZeroBitCount) / 7 + 1
    }

    /// Bytes of a field with so many bytes in it, for a number up to 15.
    static func fieldSize(_ count: Int) -> Int { 1 + size(UInt64(count)) + count }
}

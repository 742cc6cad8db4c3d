/// Writes protobuf's wire format.
enum WireWriter {
    static func varint(_ value: UInt64, to out: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        out.append(UInt8(rest))
    }

    static func varintField(_ number: Int, _ value: UInt64, to out: inout [UInt8]) {
        varint(UInt64(number) << 3, to: &out)
        varint(value, to: &out)
    }

    static func bytesField(_ number: Int, _ value: [UInt8], to out: inout [UInt8]) {
        varint(UInt64(number) << 3 | 2, to: &out)
        varint(UInt64(value.count), to: &out)
        out += value
    }
}

/// Reads protobuf's wire format, one field after the other.
struct WireReader {
    enum Value {
        case varint(UInt64)
        case bytes(ArraySlice<UInt8>)
        /// A fixed-width value; no field of this contract has one.
        case fixed
    }

    /// The bytes are not a protobuf message.
    struct Malformed: Error, CustomStringConvertible {
        var description: String { "the bytes are not a protobuf message" }
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func next() throws(Malformed) -> (number: Int, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let tag = try varint()
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw Malformed() }
        switch tag & 7 {
        case 0: return (Int(tag >> 3), .varint(try varint()))
        case 1: return (Int(tag >> 3), try skip(8))
        case 2:
            let count = try varint()
            guard count <= UInt64(rest.count) else { throw Malformed() }
            let value = rest.prefix(Int(count))
            rest = rest.dropFirst(Int(count))
            return (Int(tag >> 3), .bytes(value))
        case 5: return (Int(tag >> 3), try skip(4))
        default: throw Malformed()
        }
    }

    /// The values of a packed field.
    mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst() {
            guard shift < 64 else { throw Malformed() }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Malformed()
    }

    private mutating func skip(_ count: Int) throws(Malformed) -> Value {
        guard rest.count >= count else { throw Malformed() }
        rest = rest.dropFirst(count)
        return .fixed
    }
}

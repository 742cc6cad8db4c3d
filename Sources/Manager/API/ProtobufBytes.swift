/// The encoding of proto3, for messages that are written by hand.
enum ProtobufBytes {
    enum WireType: UInt8 {
        case varint = 0
        case bytes = 2
    }

    /// Of a field with a number up to 15: those have tags of one byte.
    static func tag(_ field: UInt8, _ type: WireType) -> UInt8 { field << 3 | type.rawValue }

    /// Bytes of a varint.
    static func size(_ number: UInt64) -> Int {
        (63 - (number | 1).leadingZeroBitCount) / 7 + 1
    }

    /// Bytes of a field with so many bytes in it, for a number up to 15.
    static func fieldSize(_ count: Int) -> Int { 1 + size(UInt64(count)) + count }

    /// Bytes of a field with a number in it, which is left out if it is zero.
    static func fieldSize(_ number: UInt64) -> Int { number == 0 ? 0 : 1 + size(number) }

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
}

/// Memory that protobuf fields are written to, one after the other. Who writes has seen to it that
/// there is room: it ends the process rather than write past the end.
struct ProtobufOutput {
    private let memory: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    /// - Parameter memory: May be uninitialised.
    init(_ memory: UnsafeMutableBufferPointer<UInt8>) {
        self.memory = memory
    }

    var room: Int { memory.count - count }

    mutating func write(_ byte: UInt8) {
        precondition(room >= 1, "no room for a byte")
        memory.initializeElement(at: count, to: byte)
        count += 1
    }

    mutating func write(varint number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            write(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        write(UInt8(truncatingIfNeeded: rest))
    }

    mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress, let end = memory.baseAddress else { return }
        precondition(room >= bytes.count, "no room for \(bytes.count) bytes")
        (end + count).initialize(from: start, count: bytes.count)
        count += bytes.count
    }

    /// Writes the decimal digits of a number that has so many.
    mutating func write(digitsOf number: UInt64, count digits: Int) {
        precondition(room >= digits, "no room for \(digits) digits")
        var rest = number
        for place in stride(from: count + digits - 1, through: count, by: -1) {
            memory.initializeElement(
                at: place, to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        count += digits
    }

    /// Writes a field with a number; zero is left out.
    mutating func write(_ number: UInt64, as field: UInt8) {
        guard number != 0 else { return }
        write(ProtobufBytes.tag(field, .varint))
        write(varint: number)
    }

    /// Begins a field of so many bytes.
    mutating func begin(_ field: UInt8, bytes: Int) {
        write(ProtobufBytes.tag(field, .bytes))
        write(varint: UInt64(bytes))
    }
}

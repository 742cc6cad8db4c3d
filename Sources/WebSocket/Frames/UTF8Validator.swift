/// Checks UTF-8 piece by piece (RFC 3629): a character may be split between two calls.
///
/// Refuses at the first byte that no continuation could make right: overlong forms, surrogates and
/// anything above U+10FFFF included. ASCII is passed over 32 bytes at a time.
struct UTF8Validator: Sendable {
    /// Continuation bytes still to come for the character begun.
    private var needed: UInt8 = 0
    /// The range of the next continuation byte; narrower than 0x80...0xBF after E0, ED, F0, F4.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// Whether the bytes so far end between two characters.
    var isComplete: Bool { self.needed == 0 }

    /// Takes the next bytes.
    /// - Returns: False when they cannot be UTF-8; the validator is of no use from then on.
    mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var state = self
        var index = 0
        while index < bytes.count {
            if state.needed == 0 {
                index = Self.skipASCII(bytes, from: index)
                guard index < bytes.count else { break }
                guard state.begin(bytes[index]) else { return false }
            } else {
                guard state.advance(bytes[index]) else { return false }
            }
            index &+= 1
        }
        self = state
        return true
    }

    /// The index of the first byte at or after `start` that is not ASCII.
    private static func skipASCII(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index &+ 32 <= bytes.count {
            let words = bytes.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            guard words & 0x8080_8080_8080_8080 == .zero else { break }
            index &+= 32
        }
        while index &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let high = word.littleEndian & 0x8080_8080_8080_8080
            if high != 0 { return index &+ high.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < bytes.count, bytes[index] < 0x80 { index &+= 1 }
        return index
    }

    /// Copies in one pass with the check that most texts need: is all of it ASCII?
    ///
    /// - Parameter output: At least as long as the input.
    /// - Returns: Whether it is; everything is copied either way.
    @inline(__always)
    static func copyASCII(
        _ input: UnsafeRawBufferPointer,
        to output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var seen = SIMD4<UInt64>.zero
        var index = 0
        while index &+ 32 <= input.count {
            let words = input.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            output.storeBytes(of: words, toByteOffset: index, as: SIMD4<UInt64>.self)
            seen |= words
            index &+= 32
        }
        var rest: UInt64 = 0
        while index &+ 8 <= input.count {
            let word = input.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            output.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
            rest |= word
            index &+= 8
        }
        while index < input.count {
            output[index] = input[index]
            rest |= UInt64(input[index])
            index &+= 1
        }
        return seen & 0x8080_8080_8080_8080 == .zero && rest & 0x8080_8080_8080_8080 == 0
    }

    /// Takes the lead byte of a character that is not ASCII.
    private mutating func begin(_ byte: UInt8) -> Bool {
        (self.lowest, self.highest) = (0x80, 0xBF)
        switch byte {
        case 0xC2...0xDF: self.needed = 1
        case 0xE0: (self.needed, self.lowest) = (2, 0xA0)
        case 0xED: (self.needed, self.highest) = (2, 0x9F)
        case 0xE1...0xEF: self.needed = 2
        case 0xF0: (self.needed, self.lowest) = (3, 0x90)
        case 0xF4: (self.needed, self.highest) = (3, 0x8F)
        case 0xF1...0xF3: self.needed = 3
        default: return false
        }
        return true
    }

    /// Takes a continuation byte.
    private mutating func advance(_ byte: UInt8) -> Bool {
        guard byte >= self.lowest, byte <= self.highest else { return false }
        (self.lowest, self.highest) = (0x80, 0xBF)
        self.needed &-= 1
        return true
    }
}

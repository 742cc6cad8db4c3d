import CCopy

/// Checks UTF-8 piece by piece (RFC 3629): a character may be split between two calls.
///
/// Refuses at the first byte that no continuation could make right: overlong forms, surrogates and
/// anything above U+10FFFF included. Characters that are all there are passed over whole, ASCII eight
/// and more bytes at a time.
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
                index = Self.skipWhole(bytes, from: index)
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

    /// Passes over whole characters: eight of ASCII at a time, others one by one.
    ///
    /// - Returns: Where a character begins that is wrong or not all there, or the end.
    private static func skipWhole(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            if index &+ 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let high = word.littleEndian & 0x8080_8080_8080_8080
                if high == 0 {
                    index = Self.skipASCII(bytes, from: index &+ 8)
                    continue
                }
                index &+= high.trailingZeroBitCount / 8
            } else if bytes[index] < 0x80 {
                index &+= 1
                continue
            }
            let length = Self.wholeCharacter(bytes, at: index)
            guard length > 0 else { return index }
            index &+= length
        }
        return index
    }

    /// Passes over ASCII, 32 bytes at a time: long stretches of it are rarely alone.
    @inline(__always)
    private static func skipASCII(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index &+ 32 <= bytes.count {
            let words = bytes.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            guard words & 0x8080_8080_8080_8080 == .zero else { break }
            index &+= 32
        }
        return index
    }

    /// The length of the character of two to four bytes at `index` (RFC 3629, section 4); 0 if it is
    /// wrong or not all there.
    @inline(__always)
    private static func wholeCharacter(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        let lead = bytes[index]
        let available = bytes.count &- index
        guard available >= 2 else { return 0 }
        let second = bytes[index &+ 1]
        switch lead {
        case 0xC2...0xDF:
            return Self.isContinuation(second) ? 2 : 0
        case 0xE0...0xEF:
            let lowest: UInt8 = lead == 0xE0 ? 0xA0 : 0x80
            let highest: UInt8 = lead == 0xED ? 0x9F : 0xBF
            guard available >= 3, second >= lowest, second <= highest,
                Self.isContinuation(bytes[index &+ 2])
            else { return 0 }
            return 3
        case 0xF0...0xF4:
            let lowest: UInt8 = lead == 0xF0 ? 0x90 : 0x80
            let highest: UInt8 = lead == 0xF4 ? 0x8F : 0xBF
            guard available >= 4, second >= lowest, second <= highest,
                Self.isContinuation(bytes[index &+ 2]), Self.isContinuation(bytes[index &+ 3])
            else { return 0 }
            return 4
        default:
            return 0
        }
    }

    @inline(__always)
    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

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

    /// The same past the processor's caches, but for the ends that are no whole lines of them.
    ///
    /// Other threads may not see it before `wsm_copy_done`.
    static func copyASCIIPastCaches(
        _ input: UnsafeRawBufferPointer,
        to output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let from = input.baseAddress, let to = output.baseAddress else { return true }
        let head = min(input.count, (0 &- Int(bitPattern: to)) & 63)
        let lines = (input.count &- head) & ~63
        let tail = head &+ lines
        let seen = wsm_copy_past_caches(to + head, from + head, lines)
        let isHeadASCII = Self.copyASCII(
            UnsafeRawBufferPointer(rebasing: input[..<head]), to: output)
        let isTailASCII = Self.copyASCII(
            UnsafeRawBufferPointer(rebasing: input[tail...]),
            to: UnsafeMutableRawBufferPointer(rebasing: output[tail...]))
        return seen & 0x8080_8080_8080_8080 == 0 && isHeadASCII && isTailASCII
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

import Testing

@testable import WebSocket

struct UTF8ValidatorTests {
    static func isValid(_ pieces: [[UInt8]]) -> Bool {
        var validator = UTF8Validator()
        for piece in pieces {
            guard piece.withUnsafeBytes({ validator.consume($0) }) else { return false }
        }
        return validator.isComplete
    }

    @Test func agreesWithTheStandardLibraryOnAllShortSequences() {
        // The bytes where the rules change, in every order.
        let edges: [UInt8] = [
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1,
            0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        var wrong: [[UInt8]] = []
        for a in edges {
            for b in edges {
                for c in edges {
                    for d: UInt8 in [0x61, 0x80, 0xBF, 0xC2] {
                        let bytes = [a, b, c, d]
                        let expected = String(validating: bytes, as: UTF8.self) != nil
                        if Self.isValid([bytes]) != expected { wrong.append(bytes) }
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: [
        "", "plain ascii, longer than a word", "grün", "κόσμε", "緑の", "🟢\u{10FFFF}\u{0}",
    ])
    func acceptsTextCutAnywhere(_ text: String) {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            #expect(Self.isValid([Array(bytes[..<cut]), Array(bytes[cut...])]))
        }
        #expect(Self.isValid(bytes.map { [$0] }))
    }

    @Test func findsAFaultAtEveryPlaceOfALongText() {
        for place in 0..<80 {
            var bytes = [UInt8](repeating: 0x61, count: 80)
            bytes[place] = 0xC0
            #expect(!Self.isValid([bytes]))
        }
    }

    /// Copies between places that lie anywhere in a line of the cache.
    private func copyPastCaches(_ bytes: [UInt8], from: Int, to: Int) -> (copy: [UInt8], Bool) {
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 64)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 64)
        defer {
            input.deallocate()
            output.deallocate()
        }
        input.copyBytes(from: [UInt8](repeating: 0xFF, count: 1024))
        output.copyBytes(from: [UInt8](repeating: 0xEE, count: 1024))
        UnsafeMutableRawBufferPointer(rebasing: input[from...]).copyBytes(from: bytes)
        let isASCII = UTF8Validator.copyASCIIPastCaches(
            UnsafeRawBufferPointer(rebasing: input[from..<(from + bytes.count)]),
            to: UnsafeMutableRawBufferPointer(rebasing: output[to...]))
        let end = to + bytes.count
        #expect(output[..<to].allSatisfy { $0 == 0xEE } && output[end...].allSatisfy { $0 == 0xEE })
        return (Array(output[to..<end]), isASCII)
    }

    @Test(arguments: [0, 1, 8, 63, 64, 65, 127, 128, 300])
    func copiesPastTheCachesWhatLiesAnywhere(count: Int) {
        let bytes = (0..<count).map { UInt8($0 % 127) }
        for place in 0..<64 {
            let (copy, isASCII) = copyPastCaches(bytes, from: place * 5 % 64, to: place)
            #expect(isASCII)
            #expect(copy == bytes)
        }
    }

    @Test func findsPastTheCachesWhatIsNotASCIIAtEveryPlace() {
        for place in 0..<300 {
            var bytes = [UInt8](repeating: 0x61, count: 300)
            bytes[place] = 0xC3
            let (copy, isASCII) = copyPastCaches(bytes, from: 3, to: place % 64)
            #expect(!isASCII)
            #expect(copy == bytes)
        }
    }

    @Test func isIncompleteWithinACharacter() {
        var validator = UTF8Validator()
        let isAccepted = ([0xE2, 0x82] as [UInt8]).withUnsafeBytes { validator.consume($0) }
        #expect(isAccepted)
        #expect(!validator.isComplete)
    }
}

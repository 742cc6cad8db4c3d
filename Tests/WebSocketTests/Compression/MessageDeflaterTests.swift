import Testing

@testable import WebSocket

/// Both halves against each other, through every window, with and without context.
struct MessageDeflaterTests {
    /// Text that repeats itself over short and long distances; the same in every run.
    static func sample(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        var bytes: [UInt8] = []
        while bytes.count < count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let word = "value\(state >> 56):\(state >> 60);"
            bytes += Array(word.utf8)
        }
        return Array(bytes.prefix(count))
    }

    private static func inflate(
        _ payload: [UInt8],
        _ inflater: MessageInflater
    ) throws(WebSocketError) -> [UInt8] {
        var message: [UInt8] = []
        let result = payload.withUnsafeBytes { bytes in
            Result { () throws(WebSocketError) in
                try inflater.inflate(bytes) { piece in message += piece }
            }
        }
        try result.get()
        try inflater.finish { piece in message += piece }
        return message
    }

    @Test(arguments: [true, false], [8, 9, 12, 15])
    func whatIsDeflatedIsInflated(keepsContext: Bool, bits: Int) throws {
        let agreement = CompressedDecodingTests.agreement(keepsContext: keepsContext, bits: bits)
        let deflater = MessageDeflater(agreement, threshold: 0)
        let inflater = MessageInflater(agreement)
        for round in 0..<12 {
            let message = Self.sample(1 << (round + 6), seed: UInt64(round % 3))
            guard let payload = deflater.deflate(message) else {
                #expect(bits == 8 || message.count < 200, "\(message.count)")
                continue
            }
            #expect(payload.count < message.count)
            #expect(try Self.inflate(payload, inflater) == message)
            // Rest in between: nothing that is needed may be lost.
            if round % 4 == 1 { inflater.rest() }
            if round % 4 == 2 { deflater.rest() }
        }
        #expect(inflater.isAwake)
        inflater.rest()
        deflater.rest()
        #expect(!inflater.isAwake)
        #expect(!deflater.isAwake)
    }

    @Test func contextMakesTheSecondSmaller() throws {
        let message = Self.sample(2000, seed: 7)
        for keepsContext in [true, false] {
            let deflater = MessageDeflater(
                CompressedDecodingTests.agreement(keepsContext: keepsContext), threshold: 0)
            let first = try #require(deflater.deflate(message))
            let second = try #require(deflater.deflate(message))
            #expect((second.count < 50) == keepsContext)
            #expect((second == first) == !keepsContext)
        }
    }

    @Test func whatDoesNotPayGoesPlain() {
        let deflater = MessageDeflater(CompressedDecodingTests.agreement(), threshold: 100)
        #expect(deflater.deflate([]) == nil)
        #expect(deflater.deflate([UInt8](repeating: 0x61, count: 99)) == nil)
        #expect(!deflater.isAwake)
        #expect(deflater.deflate([UInt8](repeating: 0x61, count: 100)) != nil)
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<50_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        #expect(deflater.deflate(noise) == nil)
    }

    /// The receiver never saw what went out plain, so nothing may refer to it.
    @Test func aMessageThatWentPlainIsForgotten() throws {
        let agreement = CompressedDecodingTests.agreement()
        let deflater = MessageDeflater(agreement, threshold: 0)
        let inflater = MessageInflater(agreement)
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<5000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        #expect(deflater.deflate(noise) == nil)
        let message = noise + noise
        let payload = try #require(deflater.deflate(message))
        #expect(try Self.inflate(payload, inflater) == message)
    }
}

@testable import WebSocket

/// The frame decoder: however the bytes are cut, the same comes out, and it keeps what it promises.
///
/// The first two bytes choose the pieces and the limit.
@Sendable func fuzzCodec(_ input: [UInt8]) {
    guard input.count >= 2 else { return }
    let limit = Int(input[1]) * 8 + 1
    let bytes = Array(input[2...])
    let whole = Decoded([bytes], limit: limit)
    let cut = Decoded(pieces(of: bytes, by: input[0] | 1), limit: limit)
    require(whole == cut, "the pieces make a difference: \(whole) \(cut)")
    let leaving = Decoded(
        pieces(of: bytes, by: input[0] | 1), limit: limit, leavingUpTo: Int(input[0]))
    require(whole == leaving, "frames that are left make a difference: \(whole) \(leaving)")
    whole.check(limit: limit)
    checkEncoder(bytes)
    checkPastCaches(bytes)
}

/// The same with compression agreed on. The first byte chooses the pieces, the second what was agreed
/// on, the third the limit. Between two pieces the inflater of one of the two may rest.
@Sendable func fuzzInflate(_ input: [UInt8]) {
    guard input.count >= 3 else { return }
    let limit = Int(input[2]) * Int(input[2]) + 1
    let bytes = Array(input[3...])
    let agreement = CompressionAgreement(
        serverKeepsContext: input[1] & 1 == 0, clientKeepsContext: input[1] & 2 == 0,
        serverWindowBits: 8 + Int(input[1] >> 2 & 7), clientWindowBits: 8 + Int(input[1] >> 5))
    let whole = Decoded([bytes], limit: limit, agreement: agreement)
    let cut = Decoded(
        pieces(of: bytes, by: input[0] | 1), limit: limit, agreement: agreement, rests: true)
    // A sender that refers to more than the window agreed on is found out by zlib only where the bytes
    // are gone, which depends on the pieces; with the largest window there is no such sender.
    let isLoose =
        agreement.serverWindowBits < 15 && (whole.failsToInflate || cut.failsToInflate)
    require(isLoose || whole == cut, "the pieces make a difference: \(whole) \(cut)")
    whole.check(limit: limit)
    checkRoundTrip(bytes, agreement)
}

/// What a decoder makes of some bytes.
private struct Decoded: Equatable {
    var messages: [WebSocketMessage]
    var controls: [FrameBatch.Control]
    var end: FrameBatch.End?

    var failsToInflate: Bool {
        if case .failure(let error) = self.end { error.code == .badCompression } else { false }
    }

    init(
        _ pieces: [[UInt8]], limit: Int, agreement: CompressionAgreement? = nil,
        rests: Bool = false, copiesPastCaches: Bool = false, leavingUpTo most: Int = 0
    ) {
        var decoder = FrameDecoder(maxMessageSize: limit)
        decoder.copiesPastCaches = copiesPastCaches
        decoder.inflater = agreement.map { MessageInflater($0) }
        var batch = FrameBatch()
        var left: [UInt8] = []
        for piece in pieces {
            left += piece
            let taken = left.withUnsafeBytes {
                decoder.decode($0, into: &batch, leavingUpTo: most)
            }
            left.removeFirst(taken)
            if rests { decoder.inflater?.rest() }
        }
        left.withUnsafeBytes { _ = decoder.decode($0, into: &batch) }
        self.messages = batch.segments.messages
        self.controls = batch.controls
        self.end = batch.end
    }

    func check(limit: Int) {
        for message in self.messages {
            require(message.payload.count <= limit, "a message is larger than the limit")
            let isText = message.kind == .text
            require(
                !isText || String(validating: message.payload, as: UTF8.self) != nil,
                "a text is not UTF-8")
        }
        for control in self.controls {
            switch control {
            case .ping(let payload), .pong(let payload):
                require(payload.count <= 125, "a control frame is too long")
            }
        }
    }
}

private func checkEncoder(_ payload: [UInt8]) {
    let size = FrameEncoder.frameSize(payload: payload.count)
    var frame = [UInt8](repeating: 0, count: size)
    let key: UInt32 = 0x1234_5678
    let written = frame.withUnsafeMutableBytes { output in
        payload.withUnsafeBytes {
            FrameEncoder.encode(.binary, payload: $0, key: key, into: output)
        }
    }
    require(written == size, "a frame has another size than was said")
    let start = size - payload.count
    for (index, byte) in payload.enumerated() {
        let mask = UInt8(truncatingIfNeeded: key >> UInt32(24 - 8 * (index % 4)))
        require(frame[start + index] ^ mask == byte, "the mask is wrong")
    }
}

/// A row of texts that is long enough to be copied past the processor's caches is what it is when it is
/// copied through them.
private func checkPastCaches(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    var payload: [UInt8] = []
    while payload.count < WebSocketLimits.messagePastCaches { payload += bytes }
    let length = UInt16(payload.count)
    let frame = [0x81, 126, UInt8(length >> 8), UInt8(length & 0xFF)] + payload
    var row: [UInt8] = []
    while row.count <= WebSocketLimits.rowPastCaches { row += frame }
    row += frame
    let limit = payload.count
    require(
        Decoded([row], limit: limit) == Decoded([row], limit: limit, copiesPastCaches: true),
        "copied past the caches it is another")
}

private func checkRoundTrip(_ message: [UInt8], _ agreement: CompressionAgreement) {
    // The server's half has the client's terms here.
    var agreement = agreement
    agreement.serverKeepsContext = agreement.clientKeepsContext
    agreement.serverWindowBits = agreement.clientWindowBits
    let deflater = MessageDeflater(agreement, threshold: 0)
    let inflater = MessageInflater(agreement)
    for _ in 0..<2 {
        guard let payload = deflater.deflate(message) else { continue }
        require(payload.count < message.count, "compressing made it larger")
        var inflated: [UInt8] = []
        do {
            let result = payload.withUnsafeBytes { bytes in
                Result { () throws(WebSocketError) in
                    try inflater.inflate(bytes) { piece in inflated += piece }
                }
            }
            try result.get()
            try inflater.finish { piece in inflated += piece }
        } catch {
            require(false, "what was deflated is not inflated: \(error)")
        }
        require(inflated == message, "what was deflated comes out otherwise")
    }
}

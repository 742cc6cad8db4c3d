@testable import WebSocket

/// The reader of a handshake's answer and what judges it. The first byte chooses the pieces, the
/// second what was offered.
@Sendable func fuzzHandshake(_ input: [UInt8]) {
    guard input.count >= 2 else { return }
    let bytes = Array(input[2...])
    let whole = Answer([bytes])
    let cut = Answer(pieces(of: bytes, by: input[0] | 1))
    require(whole == cut, "the pieces make a difference: \(whole) \(cut)")
    require(whole.consumed <= bytes.count, "more was taken than there is")
    let check = HandshakeCheck(
        key: HandshakeKey(value: "dGhlIHNhbXBsZSBub25jZQ=="), subprotocols: ["a", "b"],
        requireSubprotocol: input[1] & 1 != 0,
        compression: input[1] & 2 == 0 ? nil : offer(input[1]))
    if let head = whole.head {
        require(
            !head.headers.contains {
                !HTTPText.isToken($0.name) || !HTTPText.isFieldValue($0.value)
            },
            "a header that is none was let through")
        _ = try? check.accept(head)
    }
    checkNegotiation(String(decoding: bytes, as: UTF8.self), offer(input[1]))
}

private func offer(_ choice: UInt8) -> CompressionOptions {
    CompressionOptions(
        isRequired: choice & 4 != 0, serverContextTakeover: choice & 8 == 0,
        clientContextTakeover: choice & 16 == 0,
        serverMaxWindowBits: 9 + Int(choice >> 5) % 7,
        clientMaxWindowBits: 15 - Int(choice >> 5) % 7)
}

/// The input as a header's value: what is agreed on never goes beyond the offer.
private func checkNegotiation(_ value: String, _ options: CompressionOptions) {
    guard let agreement = try? DeflateNegotiation.accept([value], offered: options) else { return }
    require(
        agreement.serverWindowBits <= options.serverMaxWindowBits
            && agreement.clientWindowBits <= options.clientMaxWindowBits
            && agreement.serverWindowBits >= 8 && agreement.clientWindowBits >= 8,
        "a window larger than was offered")
    require(
        options.serverContextTakeover || !agreement.serverKeepsContext,
        "the server keeps a context against the offer")
    require(
        options.clientContextTakeover || !agreement.clientKeepsContext,
        "we keep a context against the offer")
}

/// What a reader makes of some bytes.
private struct Answer: Equatable {
    var consumed = 0
    var head: ResponseHead?
    var failure: HandshakeFailure?

    init(_ pieces: [[UInt8]]) {
        var reader = ResponseReader()
        for piece in pieces {
            let result = piece.withUnsafeBytes { bytes in
                Result { () throws(HandshakeFailure) in try reader.read(bytes) }
            }
            switch result {
            case .success(let (consumed, head)):
                self.consumed += consumed
                self.head = head
            case .failure(let failure):
                // How much was taken of a piece that is refused has no meaning.
                self.consumed = 0
                self.failure = failure
            }
            if self.head != nil || self.failure != nil { return }
        }
    }
}

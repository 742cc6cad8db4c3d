/// The sending half of permessage-deflate on one connection (RFC 7692, 7.2.1).
///
/// The state is made with the first message worth it and given back by `rest`: what comes after
/// refers to nothing before, which any receiver understands. Confined to its loop.
final class MessageDeflater {
    /// What is cut off each message.
    private static let tailSize = 4

    /// Messages of fewer bytes go out as they are.
    var threshold: Int
    private let keepsContext: Bool
    private let windowBits: Int
    private var stream: DeflateStream?
    /// Whether a message was deflated since this was last set to false.
    var wasUsed = false

    init(_ agreement: CompressionAgreement, threshold: Int) {
        self.threshold = threshold
        self.keepsContext = agreement.clientKeepsContext
        self.windowBits = agreement.clientWindowBits
    }

    /// The payload of the frame that carries a message compressed; nil when it does not pay.
    func deflate(_ payload: [UInt8]) -> [UInt8]? {
        guard !payload.isEmpty, payload.count >= self.threshold else { return nil }
        guard let stream = self.stream ?? DeflateStream(windowBits: self.windowBits) else {
            return nil
        }
        self.stream = stream
        self.wasUsed = true
        let limit = payload.count + Self.tailSize - 1
        guard var output = payload.withUnsafeBytes({ stream.deflate($0, limit: limit) }) else {
            // The receiver does not get these bytes: nothing may refer to them.
            stream.reset()
            return nil
        }
        output.removeLast(min(Self.tailSize, output.count))
        if !self.keepsContext { stream.reset() }
        return output
    }

    /// Gives memory back.
    func rest() {
        self.stream = nil
    }

    /// Whether there is something to give back.
    var isAwake: Bool { self.stream != nil }
}

@testable import WebSocket

/// One thing the codec does, so many times and nothing else, for callgrind to count:
/// `wsm-codec-bench --case receive|mask|utf8|inflate --messages N`.
@main
enum CodecBench {
    /// Of every message, in bytes: what a feed sends.
    static let size = 512

    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, arguments[1] == "--case", arguments[3] == "--messages",
            let messages = Int(arguments[4]), messages > 0, messages % Self.row == 0
        else {
            print(
                "usage: wsm-codec-bench --case receive|mask|utf8|inflate "
                    + "--messages MULTIPLE-OF-\(Self.row)")
            return
        }
        let rows = messages / Self.row
        switch arguments[2] {
        case "receive": Self.receive(Self.text, rows)
        case "utf8": Self.receive(Self.textBeyondASCII, rows)
        case "mask": Self.mask(messages)
        case "inflate": Self.inflate(rows)
        default: print("there is no case \(arguments[2])")
        }
    }

    /// Messages in one read.
    private static let row = 100

    private static let text = [UInt8](repeating: 0x61, count: size)

    /// An eighth of the characters is not ASCII, as in prose.
    private static let textBeyondASCII = Array(
        String(repeating: "größere ", count: size / 10).utf8.prefix(size - size % 10))

    private static func frame(_ payload: [UInt8], compressed: Bool = false) -> [UInt8] {
        let header: [UInt8] = [compressed ? 0xC1 : 0x81]
        guard payload.count > 125 else { return header + [UInt8(payload.count)] + payload }
        return header
            + [126, UInt8(payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)] + payload
    }

    private static func receive(_ payload: [UInt8], _ rows: Int) {
        let frame = Self.frame(payload)
        let read = (0..<Self.row).flatMap { _ in frame }
        Self.decode(read, rows)
    }

    private static func decode(_ read: [UInt8], _ rows: Int, inflater: MessageInflater? = nil) {
        var decoder = FrameDecoder(maxMessageSize: 1 << 20)
        decoder.inflater = inflater
        var batch = FrameBatch()
        var count = 0
        for _ in 0..<rows {
            read.withUnsafeBytes { decoder.decode($0, into: &batch) }
            count += batch.segments.messageCount
            batch.segments.removeAll(keepingCapacity: true)
        }
        precondition(count == rows * Self.row && batch.end == nil, "not every message was read")
    }

    private static func mask(_ messages: Int) {
        var output = [UInt8](repeating: 0, count: FrameEncoder.frameSize(payload: Self.size))
        for number in 0..<messages {
            output.withUnsafeMutableBytes { output in
                Self.text.withUnsafeBytes {
                    _ = FrameEncoder.encode(
                        .text, payload: $0, key: UInt32(truncatingIfNeeded: number), into: output)
                }
            }
        }
    }

    private static func inflate(_ rows: Int) {
        let agreement = CompressionAgreement(
            serverKeepsContext: false, clientKeepsContext: false, serverWindowBits: 15,
            clientWindowBits: 15)
        let words = (0..<64).map { "{\"price\": \($0 * 7919)}" }.joined().utf8
        guard
            let compressed = MessageDeflater(agreement, threshold: 0).deflate(
                Array(words.prefix(Self.size)))
        else { return print("the message does not become smaller") }
        let frame = Self.frame(compressed, compressed: true)
        let read = (0..<Self.row).flatMap { _ in frame }
        Self.decode(read, rows, inflater: MessageInflater(agreement))
    }
}

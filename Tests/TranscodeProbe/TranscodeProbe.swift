import Gateway

/// Transcodes lines, for tests that hold the JSON mapping against another implementation.
///
///     json MESSAGE {"url":"ws://x"}   →  the message in hexadecimal digits
///     wire MESSAGE 0a0677733a2f2f78   →  the message as JSON
///
/// A line that cannot be transcoded is answered with `refused: ` and why.
@main
struct TranscodeProbe {
    static func main() throws {
        let transcoder = try Transcoder()
        while let line = readLine() {
            print(answer(line, transcoder))
        }
    }

    private static func answer(_ line: String, _ transcoder: Transcoder) -> String {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return "refused: three words are needed" }
        let name = String(parts[1])
        do {
            switch parts[0] {
            case "json":
                return hex(try transcoder.wire(fromJSON: Array(parts[2].utf8), of: name))
            case "wire":
                guard let bytes = bytes(parts[2]) else { return "refused: not hexadecimal" }
                return String(
                    decoding: try transcoder.json(fromWire: bytes, of: name), as: UTF8.self)
            default: return "refused: json or wire"
            }
        } catch {
            return "refused: \(error)"
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let digits = text.map { $0.hexDigitValue }
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[at], let low = digits[at + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }
}

import Foundation
import Logging
import ManagerCore
import Spec
import Synchronization
import Testing

@testable import ServerSettings

struct LineLogHandlerTests {
    /// What one log call writes.
    private func line(
        _ format: LogFormat, _ metadata: Logger.Metadata = [:],
        own: Logger.Metadata = ["wsm.instance.id": "a-1"], message: Logger.Message = "connected"
    ) -> String {
        let written = Mutex<[[UInt8]]>([])
        withExtendedLifetime(written) {
            var logger = Logger(label: "wsm-server") { label in
                LineLogHandler(
                    label: label, format: format,
                    now: { WallTime(nanosecondsSinceEpoch: 1_772_600_767_000_008_000) },
                    write: { line in written.withLock { $0.append(line) } })
            }
            for (key, value) in own { logger[metadataKey: key] = value }
            logger.warning(message, metadata: metadata, source: "Manager")
        }
        let lines = written.withLock { $0 }
        return lines.map { String(decoding: $0, as: UTF8.self) }.joined()
    }

    @Test func textIsOneLineWithTheMetadataInOrder() {
        #expect(
            line(.text, ["b": "2", "a": "one"])
                == "2026-03-04T05:06:07.000008Z warning wsm-server: a=one b=2 "
                + "wsm.instance.id=a-1 [Manager] connected\n")
    }

    @Test(arguments: [
        "x\n2026-03-04T05:06:07Z error wsm-server: [Manager] forged", "a b=c", "quote \" here",
        "\u{1B}[2Jclear", "\u{2028}", "\u{202E}txt", "\r\nline", "back\\slash", "", "\u{85}x",
        "] forged [Manager",
    ]) func remoteTextForgesNeitherLineNorKey(_ hostile: String) throws {
        let text = line(.text, ["reason": "\(hostile)"], own: [:])
        #expect(text.count { $0.isNewline } == 1 && text.last == "\n")
        let printable = text.dropLast().unicodeScalars.allSatisfy { !LogText.isHidden($0) }
        #expect(printable)
        let start = try #require(text.range(of: "reason="))
        let end = try #require(text.range(of: " [Manager] connected\n"))
        let value = text[start.upperBound..<end.lowerBound]
        #expect(value.first == "\"" && value.last == "\"", "\(value)")
    }

    @Test func theMessageCannotBreakTheLineEither() {
        #expect(line(.text, own: [:], message: "a\nb").hasSuffix("[Manager] a\\nb\n"))
    }

    @Test func jsonIsOneObjectWithTheMetadataBesideTheRest() throws {
        let text = line(
            .json,
            [
                "code": "1006", "nested": ["b": "x", "a": ["deep": "y"]], "list": ["1", "2"],
                "level": "mine", "hostile": "\"\n\u{0}\u{7F}é\u{1F600}\u{2028}\u{85}\u{E0001}",
            ])
        #expect(text.count { $0.isNewline } == 1)
        let json = try JSONValue.parse(Array(text.utf8))
        #expect(json["ts"] == .string("2026-03-04T05:06:07.000008Z"))
        #expect(json["level"] == .string("warning"))
        #expect(json["msg"] == .string("connected"))
        #expect(json["label"] == .string("wsm-server"))
        #expect(json["code"] == .string("1006"))
        #expect(json["nested.b"] == .string("x") && json["nested.a.deep"] == .string("y"))
        #expect(json["list"] == .array([.string("1"), .string("2")]))
        #expect(json["metadata.level"] == .string("mine"))
        #expect(json["wsm.instance.id"] == .string("a-1"))
        #expect(
            json["hostile"]
                == .string("\"\n\u{0}\u{7F}é\u{1F600}\u{2028}\u{85}\u{E0001}"))
    }

    @Test func whatIsBelowTheLevelIsNotWritten() {
        let count = Mutex(0)
        var logger = Logger(label: "x") { label in
            LineLogHandler(
                label: label, format: .text, now: { WallTime(nanosecondsSinceEpoch: 0) },
                write: { _ in count.withLock { $0 += 1 } })
        }
        logger.logLevel = .error
        logger.info("no")
        logger.error("yes")
        #expect(count.withLock { $0 } == 1)
    }
}

import ManagerCore
import Spec
import TestKit
import Testing

@Suite struct CloudEventWriterTests {
    private func event(
        _ payload: [UInt8], _ kind: OutboundEvent.Kind
    ) throws -> OutboundEvent {
        let uid = try #require(ConnectionUID(rawValue: "u-1"))
        let origin = EventOrigin(uid: uid, epoch: 2, name: "btc", url: "wss://h.example/ws")
        return origin.message(
            sequence: 41, topic: "trades", time: WallTime(nanosecondsSinceEpoch: 1_000),
            payload: payload, kind: kind)
    }

    private func write(
        _ text: String, _ mode: ConnectionSpec.PublishData, _ kind: OutboundEvent.Kind = .text
    ) throws -> String? {
        CloudEventWriter.json(try event(Array(text.utf8), kind), data: mode)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    private func expected(_ contentType: String, _ data: String) -> String {
        #"{"specversion":"1.0","id":"u-1.2.41","source":"/connections/btc","#
            + #""type":"com.virtufin.websocketmanager.message","#
            + #""time":"1970-01-01T00:00:00.000001Z","datacontenttype":""# + contentType
            + #"","websocketid":"btc","websocketurl":"wss://h.example/ws","#
            + #""epoch":"2","sequence":"41","# + data + "}"
    }

    private static let json = "application/json"
    private static let text = "text/plain"
    private static let bytes = "application/octet-stream"

    @Test(
        arguments: [
            // In: text, mode. Out: content type, data; nil is "not JSON".
            (#"{"a":1}"#, ConnectionSpec.PublishData.auto, json, #""data":{"a":1}"#),
            (" [1, 2]\n", .auto, json, "\"data\": [1, 2]\n"),
            ("3", .auto, text, #""data":"3""#), ("true", .auto, text, #""data":"true""#),
            (" 3", .auto, text, #""data":" 3""#), ("{oops", .auto, text, #""data":"{oops""#),
            ("", .auto, text, #""data":"""#),
            ("a\"b\\c\n\u{1}\u{1f}é😀", .auto, text, #""data":"a\"b\\c\n\u0001\u001fé😀""#),
            (#"{"a":1}"#, .json, json, #""data":{"a":1}"#), ("3", .json, json, #""data":3"#),
            ("nope", .json, nil, ""), ("", .json, nil, ""),
            (#"{"a":1}"#, .string, text, #""data":"{\"a\":1}""#),
            (#"{"a":1}"#, .base64, text, #""data_base64":"eyJhIjoxfQ==""#),
        ] as [(String, ConnectionSpec.PublishData, String?, String)])
    func textIsWrittenByTheMode(
        text: String, mode: ConnectionSpec.PublishData, contentType: String?, data: String
    ) throws {
        #expect(try write(text, mode) == contentType.map { expected($0, data) })
    }

    @Test(
        arguments: [
            ([0, 1, 255], ConnectionSpec.PublishData.auto, bytes, #""data_base64":"AAH/""#),
            ([], .auto, bytes, #""data_base64":"""#),
            ([123, 125], .auto, bytes, #""data_base64":"e30=""#),
            ([123, 125], .json, json, #""data":{}"#), ([255], .json, nil, ""),
            ([123, 125], .string, text, #""data":"{}""#),
            ([0xC3, 0x28], .string, bytes, #""data_base64":"wyg=""#),
            ([255, 254, 253, 252], .base64, bytes, #""data_base64":"//79/A==""#),
        ] as [([UInt8], ConnectionSpec.PublishData, String?, String)])
    func binaryIsWrittenByTheMode(
        payload: [UInt8], mode: ConnectionSpec.PublishData, contentType: String?, data: String
    ) throws {
        let written = CloudEventWriter.json(try event(payload, .binary), data: mode)
            .map { String(decoding: $0, as: UTF8.self) }
        #expect(written == contentType.map { expected($0, data) })
    }

    @Test(arguments: ConnectionSpec.PublishData.allCases)
    func ourOwnJSONStaysJSONInEveryMode(mode: ConnectionSpec.PublishData) throws {
        #expect(try write("{}", mode, .json) == expected("application/json", #""data":{}"#))
    }

    @Test func subjectAndHostileAttributesAreEscaped() throws {
        var event = try event([], .text)
        event.subject = "a\"b"
        event.attributes = [.init("websocketid", "\u{0}\\")]
        let bytes = try #require(CloudEventWriter.json(event, data: .auto))
        #expect(JSONText.type(of: bytes) == .object)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains(#""subject":"a\"b","time""#))
        #expect(text.contains(#""websocketid":"\u0000\\","epoch""#))
    }

    /// Whatever was received, the event is JSON, and its data is the payload again.
    @Test(arguments: UInt64(1)...20) func everyPayloadSurvives(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let path = try JSONRoute("data")
        let alphabet: [Character] = ["a", "\"", "\\", "\n", "\u{1}", "é", "😀", "{", "}", "1", " "]
        for _ in 0..<300 {
            let text = String(
                (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator) ?? "a"
                })
            let event = try event(Array(text.utf8), .text)
            let bytes = try #require(CloudEventWriter.json(event, data: .string))
            guard case .found(let data) = JSONText.locate(path, in: bytes) else {
                Issue.record("seed \(seed): no data for \(text)")
                return
            }
            #expect(JSONText.unescaped(bytes, data.range) == Array(text.utf8), "seed \(seed)")
        }
    }
}

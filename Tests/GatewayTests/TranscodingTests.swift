import ManagerAPI
import SwiftProtobuf
import Testing

@testable import Gateway

/// Holds the JSON mapping against the generated types' own, both ways. (The interop tests hold it
/// against Python's.)
struct TranscodingTests {
    /// Read once: there are a thousand cases.
    private static let committed = Result { try ProtoSchema.committed() }

    let schema: ProtoSchema

    init() throws {
        schema = try Self.committed.get()
    }

    @Test func everyMessageOfEveryRouteIsTried() {
        for method in schema.methods where !method.rules.isEmpty {
            for name in schema.reachable(from: method.input) + schema.reachable(from: method.output)
            {
                #expect(MessageTypes.names.contains(name), "\(name) is not in MessageTypes")
            }
        }
    }

    @Test(arguments: MessageTypes.names, 0..<20 as Range<UInt64>)
    func randomMessagesMeanTheSameToBoth(_ name: String, _ seed: UInt64) throws {
        guard let type = MessageTypes.all.first(where: { $0.protoMessageName == name }) else {
            return
        }
        var random = RandomMessages(schema: schema, generator: SeededGenerator(state: seed))
        let json = random.json(name)
        try check(type, json.bytes, name, seed)
    }

    private func check<M: Message>(
        _ type: M.Type, _ json: [UInt8], _ name: String, _ seed: UInt64
    ) throws {
        let theirs = try M(jsonUTF8Bytes: json)
        let node = try JSONParser.parse(json)
        let wire = try MessageEncoder(schema: schema).encode(node, as: name)
        let same = try M(serializedBytes: wire).isEqualTo(message: theirs)
        #expect(same, "\(name), seed \(seed)")

        let bytes: [UInt8] = try theirs.serializedBytes()
        let ours = try MessageDecoder(schema: schema).json(bytes, of: name)
        let back = try M(jsonUTF8Bytes: ours).isEqualTo(message: theirs)
        #expect(back, "\(name), seed \(seed)")
    }

    @Test func fieldsWithTheirDefaultAreWritten() throws {
        let connection = try MessageDecoder(schema: schema).json(
            [], of: "virtufin.WebSocketConnection")
        #expect(
            String(decoding: connection, as: UTF8.self)
                == #"{"id":"","url":"","status":"","topic":"","instanceId":"","#
                + #""contentType":"","tags":{}}"#)
        let header = try MessageDecoder(schema: schema).json([], of: "wsm.v1.ApplyHeader")
        #expect(!String(decoding: header, as: UTF8.self).contains("ifRevision"))
    }

    @Test(arguments: [
        (#"{"url":1}"#, "url must be a string, not a number"),
        (#"{"URL":"x"}"#, "there is no field \"URL\"; there are url, autoReconnect, tags"),
        (#"{"autoReconnect":"true"}"#, "autoReconnect must be true or false, not a string"),
        (#"{"autoReconnect":true,"auto_reconnect":true}"#, "is given twice"),
        (#"{"tags":{"a":null}}"#, "tags.a must be a string, not null"),
        (#"{"tags":[]}"#, "tags must be an object, not an array"),
        (#"[]"#, "the body must be a JSON object, not an array"),
    ])
    func namesTheFieldThatIsWrong(_ json: String, _ sentence: String) throws {
        let node = try JSONParser.parse(Array(json.utf8))
        let problem = #expect(throws: FieldProblem.self) {
            try MessageEncoder(schema: schema).encode(node, as: "virtufin.ConnectRequest")
        }
        #expect(problem?.description.contains(sentence) == true, "\(problem?.description ?? "")")
    }

    @Test func twoMembersOfAOneofAreRefused() throws {
        let node = try JSONParser.parse(Array(#"{"header":{},"chunk":{}}"#.utf8))
        let problem = #expect(throws: FieldProblem.self) {
            try MessageEncoder(schema: schema).encode(node, as: "wsm.v1.ApplyRequest")
        }
        #expect(problem?.description == "chunk and header exclude each other")
    }

    @Test(arguments: ["{\"json\":\"Zg\"}", "{\"json\":\"Zg==\"}"])
    func base64IsTakenWithAndWithoutPadding(_ json: String) throws {
        let node = try JSONParser.parse(Array(json.utf8))
        #expect(
            try MessageEncoder(schema: schema).encode(node, as: "wsm.v1.ManifestDocument")
                == [0x0A, 1, UInt8(ascii: "f")])
    }

    @Test func bytesThatAreNoMessageAreRefused() throws {
        let decoder = MessageDecoder(schema: schema)
        for bytes: [UInt8] in [[0x0A], [0x0A, 5, 1], [0x07], [0x08, 1], [0x80]] {
            #expect(throws: WireReader.Malformed.self) {
                try decoder.json(bytes, of: "virtufin.ConnectRequest")
            }
        }
    }
}

struct WholeNumberTests {
    @Test(arguments: [
        ("0", 0), ("-0", 0), ("12", 12), ("12.0", 12), ("1.2e1", 12), ("120e-1", 12),
        ("-2147483648", Int(Int32.min)), ("2147483647", Int(Int32.max)), ("0.0e40", 0),
    ])
    func takesWholeNumbersHoweverTheyAreWritten(_ text: String, _ value: Int) {
        #expect(WholeNumber.parse(text, as: Int32.self) == Int32(value))
    }

    @Test(arguments: [
        "", "-", "+1", "1.5", "2147483648", "1e10", "1e-1", "1e", "e1", "1.", ".5", "0x10", " 1",
        "1 ", "NaN", "Infinity", "1e-9223372036854775808", "1e9999999999",
        "0.00000000000000000000000000000000000000000000000001",
    ])
    func refusesEverythingElse(_ text: String) {
        #expect(WholeNumber.parse(text, as: Int32.self) == nil)
    }

    @Test func keepsEveryDigitOf64Bits() {
        #expect(WholeNumber.parse("18446744073709551615", as: UInt64.self) == .max)
        #expect(WholeNumber.parse("-9223372036854775808", as: Int64.self) == .min)
        #expect(WholeNumber.parse("18446744073709551616", as: UInt64.self) == nil)
        #expect(WholeNumber.parse("-1", as: UInt64.self) == nil)
    }
}

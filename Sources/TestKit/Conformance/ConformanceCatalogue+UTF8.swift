// 6: text that is UTF-8 and text that is not (RFC 3629), whole and in pieces.

extension ConformanceCatalogue {
    private static let notUTF8 = ConformanceCase.End.failedByClient([1007])

    static let utf8: [ConformanceCase] = emptyParts + valid + invalid + failFast + sequences

    private static func text(_ payload: [UInt8], fin: Bool = true) -> [UInt8] {
        ServerFrame.bytes(ServerFrame.text, payload, fin: fin)
    }

    private static func more(_ payload: [UInt8], fin: Bool = true) -> [UInt8] {
        ServerFrame.bytes(ServerFrame.continuation, payload, fin: fin)
    }

    private static let emptyParts: [ConformanceCase] = [
        ConformanceCase("6.1.1", [text([])], expect: [.text([])]),
        ConformanceCase(
            "6.1.2", [text([], fin: false), more([], fin: false), more([])], expect: [.text([])]),
        ConformanceCase(
            "6.1.3", [text([], fin: false), more(hello, fin: false), more([])],
            expect: [.text(hello)]),
    ]

    /// Eleven bytes: the second letter takes three.
    private static let greek: [UInt8] = bytes("κ\u{1F79}σμε")

    private static let valid: [ConformanceCase] = {
        let (first, second) = (bytes("Hello-µ@ßöä"), bytes("üàá-UTF-8!!"))
        let whole = first + second
        return [
            ConformanceCase("6.2.1", [text(whole)], expect: [.text(whole)]),
            ConformanceCase(
                "6.2.2", [text(first, fin: false), more(second)], expect: [.text(whole)]),
            ConformanceCase(
                "6.2.3", [ServerFrame.fragments(ServerFrame.text, whole, of: 1)],
                expect: [.text(whole)]),
            ConformanceCase(
                "6.2.4", [ServerFrame.fragments(ServerFrame.text, greek, of: 1)],
                expect: [.text(greek)]),
        ]
    }()

    private static let invalid: [ConformanceCase] = {
        let payload = greek + [0xED, 0xA0, 0x80] + bytes("edited")
        return [
            ConformanceCase("6.3.1", [text(payload)], notUTF8),
            ConformanceCase(
                "6.3.2", [ServerFrame.fragments(ServerFrame.text, payload, of: 1)], notUTF8),
        ]
    }()

    /// The fault must be found when its byte is there: what would end the message is never sent.
    /// What went before must not be taken for one.
    private static let failFast: [ConformanceCase] = {
        let payload = greek + [0xF4, 0x90, 0x80, 0x80] + bytes("edited")
        let header = text(payload).prefix(2)
        let (short, exact) = (Array(payload[..<11]), Array(payload[..<12]))
        func play(_ id: String, _ before: [UInt8], _ after: [UInt8]) -> ConformanceCase {
            ConformanceCase(id, notUTF8) {
                ([.send(before, chop: nil), .pause, .send(after, chop: nil)], [])
            }
        }
        return [
            play("6.4.1", text(short, fin: false), more(Array(payload[11..<15]), fin: false)),
            play("6.4.2", text(exact, fin: false), more([payload[12]], fin: false)),
            play("6.4.3", header + short, Array(payload[11..<15])),
            play("6.4.4", header + exact, [payload[12]]),
        ]
    }()

    /// 6.5 to 6.23: one message for each sequence.
    private static let sequences: [ConformanceCase] = UTF8Sequences.groups.enumerated().flatMap {
        group, sequences in
        sequences.enumerated().map { index, sequence in
            ConformanceCase(
                "6.\(group + 5).\(index + 1)", [text(sequence.bytes)],
                expect: sequence.isValid ? [.text(sequence.bytes)] : [],
                sequence.isValid ? .closedByServer : notUTF8)
        }
    }
}

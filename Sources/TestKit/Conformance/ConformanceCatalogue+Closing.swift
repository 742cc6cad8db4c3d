// 7: close frames, right and wrong; 9 and 10: much, large and in many pieces.

extension ConformanceCatalogue {
    static let closing: [ConformanceCase] = {
        let close = ServerFrame.close(1000)
        let ping = ServerFrame.bytes(ServerFrame.ping)
        let text = ServerFrame.bytes(ServerFrame.text, hello)
        let normal = ConformanceCase.End.closedByScript([1000])
        let broken = ConformanceCase.End.closedByScript([1002])
        let large = SampleData.repeated("BAsd7&jh23", 256 * 1024)
        let longest = [UInt8](repeating: 0x2A, count: 123)
        let badReason = bytes("κ\u{1F79}σμε") + [0xED, 0xA0, 0x80] + bytes("edited")
        return [
            ConformanceCase("7.1.1", [text], expect: [.text(hello)]),
            ConformanceCase("7.1.2", [close, ServerFrame.bytes(ServerFrame.close)], normal),
            ConformanceCase("7.1.3", [close, ping], normal),
            ConformanceCase("7.1.4", [close, text], normal),
            ConformanceCase(
                "7.1.5",
                [
                    ServerFrame.bytes(ServerFrame.text, bytes("fragment1"), fin: false), close,
                    ServerFrame.bytes(ServerFrame.continuation, bytes("fragment2")),
                ], normal),
            // What came before the close is sent back before it is answered.
            ConformanceCase(
                "7.1.6", [ServerFrame.bytes(ServerFrame.text, large), text, close, ping],
                expect: [.text(large), .text(hello)], normal),
            ConformanceCase(
                "7.3.1", [ServerFrame.bytes(ServerFrame.close)],
                .closedByScript([1000], mayBeEmpty: true)),
            ConformanceCase("7.3.2", [ServerFrame.bytes(ServerFrame.close, [0x61])], broken),
            ConformanceCase("7.3.3", [close], normal),
            ConformanceCase("7.3.4", [ServerFrame.close(1000, hello)], normal),
            ConformanceCase("7.3.5", [ServerFrame.close(1000, longest)], normal),
            ConformanceCase("7.3.6", [ServerFrame.close(1000, longest + [0x2A])], broken),
            ConformanceCase(
                "7.5.1", [ServerFrame.close(1000, badReason)], .closedByScript([1002, 1007])),
        ] + closeCodes
    }()

    private static let closeCodes: [ConformanceCase] = {
        let valid: [UInt16] = [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
        ]
        let invalid: [UInt16] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]
        func cases(
            _ part: Int, _ codes: [UInt16], _ end: (UInt16) -> ConformanceCase.End
        ) -> [ConformanceCase] {
            codes.enumerated().map { index, code in
                ConformanceCase("7.\(part).\(index + 1)", [ServerFrame.close(code)], end(code))
            }
        }
        return cases(7, valid) { .closedByScript([$0]) }
            + cases(9, invalid) { _ in .closedByScript([1002]) }
            + cases(13, [5000, 65_535]) { _ in .closedByScript([1002]) }
    }()

    static let limits: [ConformanceCase] = sizes + fragments + chops + roundTrips

    private static func payload(_ opcode: UInt8, _ count: Int) -> [UInt8] {
        opcode == ServerFrame.text
            ? SampleData.repeated("BAsd7&jh23", count)
            : [UInt8](repeating: 0xFE, count: count)
    }

    private static func large(
        _ id: String,
        _ opcode: UInt8,
        _ size: Int,
        fragments: Int? = nil,
        chop: Int? = nil
    ) -> ConformanceCase {
        ConformanceCase(id, .closedByServer) {
            let payload = payload(opcode, size)
            let bytes = ServerFrame.fragments(opcode, payload, of: fragments ?? size)
            return ([.send(bytes, chop: chop)], [message(opcode, payload)])
        }
    }

    /// 9.1, 9.2: up to 16 MiB in one frame.
    private static let sizes: [ConformanceCase] = [ServerFrame.text, ServerFrame.binary].flatMap {
        opcode in
        [64, 256, 1024, 4096, 8192, 16_384].enumerated().map { index, size in
            large("9.\(opcode).\(index + 1)", opcode, size * 1024)
        }
    }

    /// 9.3, 9.4: 4 MiB in frames of 64 bytes to 4 MiB.
    private static let fragments: [ConformanceCase] = [ServerFrame.text, ServerFrame.binary]
        .flatMap { opcode in
            (0..<9).map { index in
                large(
                    "9.\(opcode + 2).\(index + 1)", opcode, 4 << 20,
                    fragments: 64 << (2 * index))
            }
        }

    /// 9.5, 9.6: 1 MiB in one frame, in writes of 64 to 2048 bytes.
    private static let chops: [ConformanceCase] = [ServerFrame.text, ServerFrame.binary].flatMap {
        opcode in
        (0..<6).map { index in
            large("9.\(opcode + 4).\(index + 1)", opcode, 1 << 20, chop: 64 << index)
        }
    }

    /// 9.7, 9.8: one message after the other.
    private static let roundTrips: [ConformanceCase] = [ServerFrame.text, ServerFrame.binary]
        .flatMap { opcode in
            [0, 16, 64, 256, 1024, 4096].enumerated().map { index, size in
                ConformanceCase("9.\(opcode + 6).\(index + 1)", .closedByServer) {
                    let payload = payload(opcode, size)
                    let frame = ServerFrame.bytes(opcode, payload)
                    let count = messages(of: size)
                    return (
                        (1...count).flatMap { [.send(frame, chop: nil), .awaitEvents($0)] },
                        Array(repeating: message(opcode, payload), count: count)
                    )
                }
            }
        }

    /// 10: a message that the server cuts into frames by itself.
    static let fragmentedByServer: [ConformanceCase] = [
        large("10.1.1", ServerFrame.text, 65_536, fragments: 1300)
    ]
}

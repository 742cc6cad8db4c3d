/// The case catalogue of the Autobahn test suite as scripts of our own: its groups 1-7, 9, 10, 12, 13.
///
/// Every case of the suite is here under its number. Where the suite repeats one thing a thousand
/// times (9.7, 9.8, 12, 13), the script repeats it less often: see ``messages(of:)``. Where it waits a
/// second to see that nothing happens, the script waits ``FuzzingServer/pause``. Its test data are
/// made, not shipped: see ``SampleData``.
package enum ConformanceCatalogue {
    package static let all: [ConformanceCase] =
        framing + pings + reservedBits + opcodes + fragmentation + utf8 + closing + limits
        + fragmentedByServer + compression + compressionParameters

    /// The numbers of the groups.
    package static let groups = ["1", "2", "3", "4", "5", "6", "7", "9", "10", "12", "13"]

    package static func cases(of group: String) -> [ConformanceCase] {
        all.filter { $0.group == group }
    }

    /// How often a message of so many bytes is sent where the suite sends a thousand: often enough for
    /// the window to be in use, seldom enough for a debug build.
    static func messages(of size: Int) -> Int { size < 8192 ? 20 : 4 }

    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    static let hello = bytes("Hello, world!")
    static let failed = ConformanceCase.End.failedByClient([1002])

    static func message(_ opcode: UInt8, _ payload: [UInt8]) -> ConformanceCase.Event {
        opcode == ServerFrame.text ? .text(payload) : .binary(payload)
    }
}

// MARK: - 1 to 5

extension ConformanceCatalogue {
    /// 1: one message of each size at which the header changes.
    private static let framing: [ConformanceCase] = [ServerFrame.text, ServerFrame.binary].flatMap {
        opcode in
        [0, 125, 126, 127, 128, 65_535, 65_536, 65_536].enumerated().map { index, size in
            let payload = [UInt8](repeating: opcode == ServerFrame.text ? 0x2A : 0xFE, count: size)
            return ConformanceCase(
                "1.\(opcode).\(index + 1)", [ServerFrame.bytes(opcode, payload)],
                chop: index == 7 ? 997 : nil, expect: [message(opcode, payload)])
        }
    }

    /// 2: pings of every kind and size, pongs nobody asked for.
    private static let pings: [ConformanceCase] = {
        let long = [UInt8](repeating: 0xFE, count: 125)
        let binary: [UInt8] = [0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF]
        func ping(_ payload: [UInt8]) -> [UInt8] { ServerFrame.bytes(ServerFrame.ping, payload) }
        func pong(_ payload: [UInt8]) -> [UInt8] { ServerFrame.bytes(ServerFrame.pong, payload) }
        let text = bytes("Hello, world!")
        let ten = (0..<10).map { bytes("payload-\($0)") }
        return [
            ConformanceCase("2.1", [ping([])], expect: [.pong([])]),
            ConformanceCase("2.2", [ping(text)], expect: [.pong(text)]),
            ConformanceCase("2.3", [ping(binary)], expect: [.pong(binary)]),
            ConformanceCase("2.4", [ping(long)], expect: [.pong(long)]),
            ConformanceCase("2.5", [ping(long + [0xFE])], failed),
            ConformanceCase("2.6", [ping(long)], chop: 1, expect: [.pong(long)]),
            ConformanceCase("2.7", [pong([])]),
            ConformanceCase("2.8", [pong(text)]),
            ConformanceCase("2.9", [pong(text), ping(binary)], expect: [.pong(binary)]),
            ConformanceCase("2.10", ten.map(ping), expect: ten.map { .pong($0) }),
            ConformanceCase("2.11", ten.map(ping), chop: 1, expect: ten.map { .pong($0) }),
        ]
    }()

    /// 3: reserved bits that nothing was agreed about.
    private static let reservedBits: [ConformanceCase] = {
        let echo = [ConformanceCase.Event.text(hello)]
        func text(_ reserved: UInt8 = 0) -> [UInt8] {
            ServerFrame.bytes(ServerFrame.text, hello, reserved: reserved)
        }
        let ping = ServerFrame.bytes(ServerFrame.ping)
        return [
            ConformanceCase("3.1", [text(1)], failed),
            ConformanceCase("3.2", [text(), text(2), ping], expect: echo, failed),
            ConformanceCase("3.3", [text(), text(3), ping], chop: 15, expect: echo, failed),
            ConformanceCase("3.4", [text(), text(4), ping], chop: 1, expect: echo, failed),
            ConformanceCase(
                "3.5", [ServerFrame.bytes(ServerFrame.binary, [0, 0xFF], reserved: 5)], failed),
            ConformanceCase(
                "3.6", [ServerFrame.bytes(ServerFrame.ping, hello, reserved: 6)], failed),
            ConformanceCase(
                "3.7", [ServerFrame.bytes(ServerFrame.close, [], reserved: 7)], failed),
        ]
    }()

    /// 4: opcodes that do not exist, first alone, then behind a message.
    private static let opcodes: [ConformanceCase] = [(1, UInt8(3)), (2, 11)].flatMap {
        part, first in
        (0..<5).map { index in
            let opcode = first + UInt8(index)
            let id = "4.\(part).\(index + 1)"
            let frame = ServerFrame.bytes(opcode, index % 2 == 1 || index == 4 ? hello : [])
            guard index >= 2 else { return ConformanceCase(id, [frame], failed) }
            return ConformanceCase(
                id,
                [ServerFrame.bytes(ServerFrame.text, hello), frame, ServerFrame.bytes(9)],
                chop: index == 4 ? 1 : nil, expect: [.text(hello)], failed)
        }
    }

    /// 5: fragments, right and wrong, with pings between.
    private static let fragmentation: [ConformanceCase] = {
        let (one, two, three) = (bytes("fragment1"), bytes("fragment2"), bytes("fragment3"))
        let whole = ConformanceCase.Event.text(one + two)
        let first = ServerFrame.bytes(ServerFrame.text, one, fin: false)
        let last = ServerFrame.bytes(ServerFrame.continuation, two)
        let ping = ServerFrame.bytes(ServerFrame.ping, bytes("ping payload"))
        let pong = ConformanceCase.Event.pong(bytes("ping payload"))
        let text = ServerFrame.bytes(ServerFrame.text, hello)
        func stray(_ fin: Bool) -> [UInt8] {
            ServerFrame.bytes(ServerFrame.continuation, bytes("non-continuation"), fin: fin)
        }
        // In one write, frame by frame, octet by octet.
        func ways(
            _ numbers: [Int], _ frames: [[UInt8]], _ expected: [ConformanceCase.Event],
            _ end: ConformanceCase.End = .closedByServer
        ) -> [ConformanceCase] {
            [
                ConformanceCase(
                    "5.\(numbers[0])", [frames.flatMap { $0 }], expect: expected, end),
                ConformanceCase("5.\(numbers[1])", frames, expect: expected, end),
                ConformanceCase("5.\(numbers[2])", frames, chop: 1, expect: expected, end),
            ]
        }
        let again = [
            stray(false), ServerFrame.bytes(ServerFrame.text, two, fin: false),
            ServerFrame.bytes(ServerFrame.continuation, three),
        ]
        return [
            ConformanceCase(
                "5.1", [ServerFrame.bytes(ServerFrame.ping, one, fin: false), last], failed),
            ConformanceCase(
                "5.2", [ServerFrame.bytes(ServerFrame.pong, one, fin: false), last], failed),
        ]
            + ways([3, 4, 5], [first, last], [whole])
            + ways([6, 7, 8], [first, ping, last], [pong, whole])
            + ways([9, 10, 11], [stray(true), text], [], failed)
            + ways([12, 13, 14], [stray(false), text], [], failed)
            + [
                ConformanceCase(
                    "5.15", [first, last, stray(false), text], expect: [whole], failed),
                ConformanceCase("5.16", again + again, failed),
                ConformanceCase(
                    "5.17",
                    ([stray(true)] + again.dropFirst()) + ([stray(true)] + again.dropFirst()),
                    failed),
                ConformanceCase(
                    "5.18", [first, ServerFrame.bytes(ServerFrame.text, two)], failed),
            ] + longPauses
    }()

    /// A message with pings in it and a pause in its middle: in two writes, and frame by frame.
    private static let longPauses: [ConformanceCase] = [("5.19", false), ("5.20", true)].map {
        id, isByFrame in
        let parts = (1...5).map { bytes("fragment\($0)") }
        let pings = ["pongme 1!", "pongme 2!"].map(bytes)
        func frame(_ index: Int) -> [UInt8] {
            ServerFrame.bytes(
                index == 0 ? ServerFrame.text : ServerFrame.continuation, parts[index],
                fin: index == 4)
        }
        let before = [frame(0), frame(1), ServerFrame.bytes(ServerFrame.ping, pings[0])]
        let after = [frame(2), frame(3), ServerFrame.bytes(ServerFrame.ping, pings[1]), frame(4)]
        @Sendable func steps(_ frames: [[UInt8]]) -> [ConformanceCase.Step] {
            (isByFrame ? frames : [frames.flatMap { $0 }]).map { .send($0, chop: nil) }
        }
        return ConformanceCase(id, .closedByServer) {
            (
                steps(before) + [.awaitEvents(1), .pause] + steps(after),
                [.pong(pings[0]), .pong(pings[1]), .text(parts.flatMap { $0 })]
            )
        }
    }
}

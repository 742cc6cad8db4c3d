import NIOCore

/// Paths that end or break an open connection.
extension FeedPath {
    static let faults: [FeedPath] = [
        .script("/close", "?code=1000&reason=&after=0", "a close frame after so many milliseconds")
        {
            request in
            let code = UInt16(request.number("code", default: 1000, in: 0...65_535))
            let reason = request.text("reason", default: "")
            return Self.later(request) { $0.close(code: code, reason: reason) }
        },
        .script("/drop", "?after=0", "ends TCP without a close frame") { request in
            Self.later(request) { $0.drop() }
        },
        .script("/accept-close", "", "ends TCP right after the 101") { _ in
            FeedScript(opened: { $0.drop() })
        },
        .script("/reset", "?after=0", "resets TCP") { request in
            Self.later(request) { $0.reset() }
        },
        .script("/silent", "", "open, reads nothing, answers nothing") { _ in
            FeedScript(answersPings: false, answersClose: false, reads: false)
        },
        .script("/no-close", "", "answers pings, but no close frame") { _ in
            FeedScript(answersClose: false)
        },
        .script("/bad-utf8", "", "a text that is not UTF-8") { _ in
            Self.raw { ServerFrame.write(ServerFrame.text, [0x61, 0xFF, 0x62], to: &$0) }
        },
        .script("/bad-rsv", "", "a frame with a reserved bit") { _ in
            Self.raw { ServerFrame.write(ServerFrame.text, [0x61], reserved: 0x40, to: &$0) }
        },
        .script("/bad-opcode", "", "a frame with the opcode 3") { _ in
            Self.raw { ServerFrame.write(3, [0x61], to: &$0) }
        },
        .script("/masked", "", "a masked frame") { _ in
            Self.raw { ServerFrame.write(ServerFrame.text, [0x61], mask: [1, 2, 3, 4], to: &$0) }
        },
    ]

    private static func later(
        _ request: FeedRequest,
        _ body: @escaping (FeedSession) -> Void
    ) -> FeedScript {
        let after = request.number("after", default: 0, in: 0...3_600_000)
        return FeedScript(opened: { session in
            if after == 0 { body(session) } else { session.after(milliseconds: after, body) }
        })
    }

    private static func raw(_ fill: @escaping (inout ByteBuffer) -> Void) -> FeedScript {
        FeedScript(opened: { $0.writeRaw(fill) })
    }
}

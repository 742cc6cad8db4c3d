import NIOCore

/// Paths that answer what a client sends; `?delay=` milliseconds hold the answer back.
extension FeedPath {
    static let answers: [FeedPath] = [
        Self.answering("/echo", "every message as it came") { $0 },
        Self.answering("/echo-json", "{\"id\":...,\"echo\":...} with the id of the JSON that came")
        {
            Self.json($0, answer: "echo", isWhole: true)
        },
        Self.answering(
            "/rpc", "{\"id\":...,\"result\":...} with id and params of the JSON that came"
        ) {
            Self.json($0, answer: "result", of: "params")
        },
        Self.answering("/envelope", "{\"id\":...,\"payload\":...} as they came") {
            Self.json($0, answer: "payload", of: "payload")
        },
        Self.answering("/prefix", "binary messages as they came, so with their 16-byte prefix") {
            $0.isText || $0.payload.count < 16 ? nil : $0
        },
    ]

    private static func answering(
        _ path: String,
        _ summary: String,
        _ answer: @escaping @Sendable (FeedMessage) -> FeedMessage?
    ) -> FeedPath {
        .script(path, "?delay=0", summary) { request in
            let delay = request.number("delay", default: 0, in: 0...600_000)
            return FeedScript(received: { session, message in
                guard let answer = answer(message) else { return }
                if delay == 0 {
                    session.send(answer)
                } else {
                    session.after(milliseconds: delay) { $0.send(answer) }
                }
            })
        }
    }

    /// An object with the message's `id` and one more member; nil for a message without an `id`.
    private static func json(
        _ message: FeedMessage,
        answer: String,
        of member: String = "",
        isWhole: Bool = false
    ) -> FeedMessage? {
        guard let id = JSONScan.value(of: "id", in: message.payload) else { return nil }
        let value =
            isWhole
            ? message.payload : JSONScan.value(of: member, in: message.payload).map(Array.init)
        var text = Array("{\"id\":".utf8) + id
        text += Array(",\"\(answer)\":".utf8) + (value ?? Array("null".utf8))
        text.append(UInt8(ascii: "}"))
        return FeedMessage(isText: message.isText, payload: text)
    }
}

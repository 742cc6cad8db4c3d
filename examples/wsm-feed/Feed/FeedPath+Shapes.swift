import NIOCore

/// Paths that are right but unusual in form.
extension FeedPath {
    static let shapes: [FeedPath] = [
        .script("/first", "?count=1", "messages in the same write as the 101") { request in
            let count = request.number("count", default: 1, in: 1...10_000)
            return FeedScript(firstFrames: { buffer in
                for index in 1...count {
                    ServerFrame.write(ServerFrame.text, Array("first \(index)".utf8), to: &buffer)
                }
            })
        },
        .script("/large", "?size=1048576&kind=text", "one message of so many bytes") { request in
            let size = request.number("size", default: 1_048_576, in: 0...67_108_864)
            let isText = request.text("kind", default: "text") == "text"
            return FeedScript(opened: { session in
                let payload = [UInt8](repeating: UInt8(ascii: "x"), count: size)
                session.send(FeedMessage(isText: isText, payload: payload))
            })
        },
        .script(
            "/fragments", "?part=3&text=", "one text in fragments of so many bytes, pings between"
        ) {
            request in
            let text = Array(request.text("text", default: "fragmented: grün, 緑, 🟢").utf8)
            let part = request.number("part", default: 3, in: 1...65_536)
            return FeedScript(opened: { session in
                session.writeRaw { Self.fragments(of: text, part: part, to: &$0) }
            })
        },
        .script("/ping", "?every=1000", "a ping every so many milliseconds") { request in
            let every = request.number("every", default: 1000, in: 1...3_600_000)
            return FeedScript(opened: { session in
                session.every(.milliseconds(Int64(every))) { $0.ping(Array("feed".utf8)) }
            })
        },
        .script("/headers", "", "the request's target and headers as JSON") { request in
            FeedScript(opened: { $0.send(Self.describe(request)) })
        },
        .script("/subprotocol", "?choose=", "chooses the first offered, or what the query says") {
            request in
            FeedScript(subprotocol: request.text("choose") ?? request.subprotocols.first)
        },
    ]

    private static func fragments(of text: [UInt8], part: Int, to buffer: inout ByteBuffer) {
        for start in stride(from: 0, to: max(text.count, 1), by: part) {
            let end = min(start + part, text.count)
            ServerFrame.write(
                start == 0 ? ServerFrame.text : ServerFrame.continuation, text[start..<end],
                isFinal: end == text.count, to: &buffer)
            if end < text.count {
                ServerFrame.write(ServerFrame.ping, Array("between".utf8), to: &buffer)
            }
        }
    }

    private static func describe(_ request: FeedRequest) -> String {
        let headers = request.headers.map {
            "[\(JSONScan.quoted($0.name)),\(JSONScan.quoted($0.value))]"
        }
        let target = JSONScan.quoted(request.target)
        return "{\"target\":\(target),\"headers\":[\(headers.joined(separator: ","))]}"
    }
}

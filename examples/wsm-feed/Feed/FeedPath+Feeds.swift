import NIOCore

/// Paths that speak on their own.
extension FeedPath {
    static let feeds: [FeedPath] = [
        .script("/ticker", "?symbol=BTC&rate=2&size=0", "JSON ticks, so many a second") { request in
            FeedScript(opened: { Self.tick($0, request, symbol: nil) })
        },
        .script("/subscribe", "?rate=2", "ticks once a text like {\"subscribe\":\"ETH\"} came") {
            request in
            FeedScript(received: { session, message in
                let value = JSONScan.value(of: "subscribe", in: message.payload)
                guard let value else { return }
                let symbol = String(decoding: value, as: UTF8.self).filter { $0 != "\"" }
                Self.tick(session, request, symbol: symbol)
            })
        },
        .script(
            "/market", "?symbol=BTC&rate=2&size=0&last=0",
            "ticks numbered by the clock: every socket gets the same ones, the last N at once"
        ) { request in
            FeedScript(opened: { Self.market($0, request) })
        },
        .script("/burst", "?count=1000&size=0", "so many ticks at once, then silence") { request in
            let count = request.number("count", default: 1000, in: 1...1_000_000)
            let size = request.number("size", default: 0, in: 0...1_048_576)
            return FeedScript(opened: { session in
                var ticks = TickSource(symbol: "BURST", size: size)
                session.log.count(on: session.path) { $0.messagesSent += count }
                session.writeRaw { buffer in
                    for _ in 0..<count {
                        ServerFrame.write(ServerFrame.text, ticks.next(), to: &buffer)
                    }
                }
            })
        },
        .script("/binary", "?rate=2&size=64", "binary messages, so many a second") { request in
            let size = request.number("size", default: 64, in: 0...16_777_216)
            return FeedScript(opened: { session in
                var value: UInt8 = 0
                session.every(Self.interval(request)) { session in
                    let payload = [UInt8](repeating: value, count: size)
                    session.send(FeedMessage(isText: false, payload: payload))
                    value &+= 1
                }
            })
        },
        .script("/mute", "", "open, answers pings, says nothing") { _ in FeedScript() },
    ]

    private static func interval(_ request: FeedRequest) -> TimeAmount {
        .microseconds(Int64(1_000_000 / request.rate))
    }

    /// A socket begins with the next tick, or with the last ones at once, and misses none.
    private static func market(_ session: FeedSession, _ request: FeedRequest) {
        let size = request.number("size", default: 0, in: 0...1_048_576)
        let past = request.number("last", default: 0, in: 0...100)
        let ticks = MarketTicks(
            symbol: request.text("symbol", default: "BTC"), size: size, rate: request.rate)
        var last = ticks.due - past
        func send(_ session: FeedSession) {
            let due = ticks.due
            while last < due {
                last += 1
                session.send(FeedMessage(isText: true, payload: ticks.tick(last)))
            }
        }
        send(session)
        let untilNext = TimeAmount.microseconds(Int64(ticks.untilNext * 1_000_000) + 1)
        session.every(Self.interval(request), first: untilNext, send)
    }

    private static func tick(_ session: FeedSession, _ request: FeedRequest, symbol: String?) {
        let size = request.number("size", default: 0, in: 0...1_048_576)
        var ticks = TickSource(
            symbol: symbol ?? request.text("symbol", default: "BTC"), size: size)
        session.every(Self.interval(request)) {
            $0.send(FeedMessage(isText: true, payload: ticks.next()))
        }
    }
}

import Feed
import Manager
import ManagerAPI
import ManagerCore
import TestKit
import Testing

/// Managed connections against a real server: dialling, losing, stopping.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ConnectionLifeTests {
    // MARK: Silence and hanging

    @Test func aSilentPeerIsFoundDeadAndDialledAgain() async throws {
        try await Live.run { live in
            try await live.declare(
                "a", "/silent", "keepalive: {pingInterval: 100ms, pongTimeout: 100ms}")
            #expect(await eventually { live.opened("/silent") >= 3 })
            #expect(live.server.observed("a")?.lastFailure?.code == "pongTimeout")
            #expect(
                live.server.observed("a")?.lastFailure?.message.contains("keepalive.pongTimeout")
                    == true)
            #expect(await eventually { live.bus.lifecycle(of: "a").contains("error") })
        }
    }

    @Test func aMutePeerThatAnswersPingsIsKept() async throws {
        try await Live.run { live in
            try await live.declare(
                "a", "/mute", "keepalive: {pingInterval: 100ms, pongTimeout: 5s}")
            #expect(await eventually { live.feed.stats(of: "/mute").pingsReceived >= 5 })
            #expect(live.opened("/mute") == 1)
            #expect(live.server.isReady("a"))
        }
    }

    @Test func aHandshakeThatHangsEndsAtItsDeadline() async throws {
        try await Live.run { live in
            try await live.declare(
                "a", "/hang", "timeouts: {dial: 200ms}\nreconnect: {base: 10s, cap: 10s}")
            #expect(
                await eventually { live.server.observed("a")?.lastFailure?.code == "timedOut" })
            #expect(live.server.status("a")?.phase == .reconnecting)
            #expect(await eventually { live.feed.connections == 0 })
        }
    }

    @Test func oneDeadServerDoesNotDelayTheOthers() async throws {
        let dead = try await FeedServer.start()
        try await Live.run { live in
            let names = (0..<30).map { "good-\($0)" }
            try await live.server.apply(
                manifest(
                    "bad",
                    "url: \(dead.url("/hang"))\nreconnect: {base: 10ms, cap: 10ms}\n"
                        + "timeouts: {dial: 100ms}"),
                names.map {
                    manifest(
                        $0, "url: \(live.feed.url("/mute"))\nreconnect: {base: 10ms, cap: 20ms}")
                }.joined(separator: "---\n"))
            #expect(await eventually { names.allSatisfy { live.server.isReady($0) } })
            live.feed.dropAll()
            #expect(await eventually { live.opened("/mute") == 60 })
            #expect(await eventually { names.allSatisfy { live.server.isReady($0) } })
            #expect(live.opened("/mute") == 60, "each was dialled once more, not oftener")
        }
        await dead.stop()
    }

    // MARK: The first bytes

    @Test func framesThatComeWithThe101AreDeliveredExactlyOnce() async throws {
        try await Live.run { live in
            try await live.declare("a", "/first?count=50")
            let expected = (1...50).map { "first \($0)" }
            #expect(await eventually { live.bus.texts(on: "a").count >= 50 })
            #expect(live.bus.texts(on: "a") == expected)
            live.feed.dropAll()
            #expect(await eventually { live.bus.texts(on: "a").count >= 100 })
            #expect(live.bus.texts(on: "a") == expected + expected)
            #expect(live.bus.accepted(on: "a").map(\.id.sequence) == Array(1...100))
        }
    }

    // MARK: Stopping

    @Test func nothingIsDialledAfterADisconnectDuringTheBackoff() async throws {
        try await Live.run { live in
            try await live.declare("a", "/status?code=503")
            #expect(await eventually { live.feed.accepted >= 3 })
            try await live.delete("a")
            let accepted = live.feed.accepted
            #expect(await always(for: .milliseconds(300)) { live.feed.accepted == accepted })
            #expect(live.server.observed("a") == nil)
        }
    }

    @Test func nothingIsDialledAfterADisconnectDuringAHandshake() async throws {
        try await Live.run { live in
            try await live.declare("a", "/slow-handshake?delay=200")
            #expect(await eventually { live.feed.connections == 1 })
            try await live.delete("a")
            #expect(await eventually { live.feed.connections == 0 })
            #expect(await always(for: .milliseconds(400)) { live.feed.accepted == 1 })
            #expect(live.opened("/slow-handshake") == 0, "the dial was called off")
            #expect(await eventually { live.server.observed("a") == nil })
        }
    }

    @Test func aRedialDuringADialNeverMakesASecondSocket() async throws {
        try await Live.run { live in
            let names = (0..<30).map { "c\($0)" }
            func apply(_ round: Int) async throws {
                try await live.server.apply(
                    names.map {
                        manifest(
                            $0,
                            """
                            url: \(live.feed.url("/slow-handshake?delay=100"))
                            subprotocols: [v\(round)]
                            reconnect: {base: 10ms, cap: 20ms}
                            """)
                    }.joined(separator: "---\n"))
            }
            var most = 0
            for round in 0..<6 {
                try await apply(round)
                for _ in 0..<8 {
                    most = max(most, live.feed.stats(of: "/slow-handshake").open)
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            #expect(
                await eventually {
                    most = max(most, live.feed.stats(of: "/slow-handshake").open)
                    return names.allSatisfy { live.server.isReady($0) }
                })
            #expect(most <= 30, "\(most) upgraded sockets of 30 connections at one time")
            #expect(await eventually { live.feed.connections == 30 })
            let offered = live.feed.handshakes.suffix(30)
                .map { $0.header("Sec-WebSocket-Protocol") }
            #expect(offered.allSatisfy { $0 == "v5" }, "the last edit is in force")
        }
    }

    // MARK: Reconnecting

    @Test func onOpenIsSentAfterEveryReconnectAndTheGapIsTold() async throws {
        try await Live.run { live in
            try await live.declare(
                "a", "/subscribe?rate=200",
                #"onOpen: [{text: '{"subscribe":"ETH"}'}, {base64: AAEC}]"#)
            #expect(await eventually { live.bus.texts(on: "a").count > 3 })
            #expect(live.feed.stats(of: "/subscribe").messagesReceived == 2)
            #expect(live.bus.texts(on: "a").allSatisfy { $0.contains(#""symbol":"ETH""#) })
            let before = live.bus.accepted(on: "a").count
            live.feed.dropAll()
            #expect(await eventually { live.feed.stats(of: "/subscribe").messagesReceived == 4 })
            #expect(await eventually { live.bus.texts(on: "a").count > before + 3 })
            #expect(await eventually { live.bus.lifecycle(of: "a").contains("gap") })

            let words = live.bus.lifecycle(of: "a")
            #expect(words.count { $0 == "connected" } == 2)
            #expect(words.count { $0 == "gap" } == 1)
            let numbers = live.bus.accepted(on: LifecycleEvent.topic).map(\.id.sequence)
            #expect(numbers == Array(1...UInt64(numbers.count)), "and count by themselves")
            let sequences = live.bus.accepted(on: "a").map(\.id.sequence)
            #expect(sequences == Array(1...UInt64(sequences.count)), "numbers have no hole")
            let gap = try #require(
                live.bus.accepted(on: LifecycleEvent.topic).first { $0.type.hasSuffix(".gap") })
            let text = String(decoding: gap.payload, as: UTF8.self)
            #expect(text.contains(#""cause":"disconnected""#))
            #expect(text.contains(#""epoch":"\#(live.server.server.store.epoch)""#))
        }
    }

    @Test func readyWaitsUntilOnOpenIsWritten() async throws {
        try await Live.run { live in
            try await live.declare("a", "/echo", "onOpen: [{text: hello}]")
            #expect(await live.server.ready("a"))
            #expect(await eventually { live.bus.texts(on: "a") == ["hello"] })
            let subscribed = live.server.status("a")?.conditions.first { $0.type == "Subscribed" }
            #expect(subscribed?.reason == "OnOpenWritten")
        }
    }

    @Test func withoutAutoReconnectADropIsTheEnd() async throws {
        try await Live.run { live in
            try await live.declare("a", "/mute", "autoReconnect: false")
            #expect(await live.server.ready("a"))
            live.feed.dropAll()
            #expect(await eventually { live.server.status("a")?.phase == .disconnected })
            #expect(live.server.status("a")?.ready.reason == "ReconnectDisabled")
            #expect(await always(for: .milliseconds(200)) { live.opened("/mute") == 1 })
            // An edit that needs a socket gives one more dial.
            try await live.declare("a", "/mute", "autoReconnect: false\nsubprotocols: [v1]")
            #expect(await live.server.ready("a"))
            #expect(live.opened("/mute") == 2)
        }
    }

    @Test func exhaustedAttemptsStallUntilAnEdit() async throws {
        try await Live.run { live in
            try await live.declare(
                "a", "/status?code=500", "reconnect: {base: 10ms, cap: 20ms, maxAttempts: 3}")
            #expect(await eventually { live.server.status("a")?.phase == .stalled })
            #expect(live.server.status("a")?.ready.reason == "AttemptsExhausted")
            #expect(await always(for: .milliseconds(200)) { live.feed.accepted == 3 })
            try await live.declare(
                "a", "/mute", "reconnect: {base: 10ms, cap: 20ms, maxAttempts: 3}")
            #expect(await live.server.ready("a"))
        }
    }

    // MARK: How sockets end

    @Test(arguments: [(4_001, true), (1_013, true), (1_001, false), (1_000, false)])
    func theCloseCodeAndItsReasonAreKept(_ code: Int, _ isFailure: Bool) async throws {
        try await Live.run { live in
            try await live.declare(
                "a", "/close?code=\(code)&reason=bye&after=20",
                "reconnect: {base: 10s, cap: 10s}")
            #expect(await eventually { live.server.observed("a")?.lastClose != nil })
            let seen = try #require(live.server.observed("a"))
            #expect(seen.lastClose?.code == UInt16(code))
            #expect(seen.lastClose?.reason == "bye")
            #expect(seen.lastClose?.by == .remote)
            #expect(seen.lastFailure?.code == (isFailure ? "close\(code)" : nil))
            #expect(
                await eventually { live.feed.stats(of: "/close").closeCodesReceived.count == 1 },
                "our answer")
        }
    }

    @Test(arguments: [
        ("/status?code=503&retryAfter=30", "http503", FailureClass.throttled),
        ("/status?code=401", "http401", .authentication),
        ("/status?code=404", "http404", .configuration),
        ("/status?code=500", "http500", .transient),
        ("/redirect", "http302", .configuration),
        ("/accept-close", "connectionClosed", .transient),
        ("/bad-utf8", "invalidUTF8", .policy), ("/bad-rsv", "protocolViolation", .policy),
    ])
    func everyFailureIsClassed(
        _ path: String, _ code: String, _ failureClass: FailureClass
    ) async throws {
        try await Live.run { live in
            try await live.declare("a", path, "reconnect: {base: 10s, cap: 10s}")
            #expect(await eventually { live.server.observed("a")?.lastFailure != nil })
            let failure = try #require(live.server.observed("a")?.lastFailure)
            #expect(failure.code == code)
            #expect(failure.failureClass == failureClass)
            if path.contains("retryAfter") { #expect(failure.retryAfter == .seconds(30)) }
        }
    }

    // MARK: The end of the process

    @Test func theEndOfTheProcessCloses1001AndSaysNothingIsLost() async throws {
        let feed = try await FeedServer.start()
        let server = try await RunningServer.start(bus: RecordingBus())
        let names = (0..<10).map { "c\($0)" }
        try await server.apply(
            names.map { manifest($0, "url: \(feed.url("/mute"))") }.joined(separator: "---\n"))
        #expect(await eventually { names.allSatisfy { server.isReady($0) } })
        #expect(await server.stop() == 0)
        #expect(
            await eventually {
                feed.stats(of: "/mute").closeCodesReceived == Array(repeating: 1_001, count: 10)
            })
        #expect(await eventually { feed.connections == 0 })
        await feed.stop()
    }
}

extension Live {
    func delete(_ name: String) async throws {
        _ = try await server.orchestrator.delete(
            .with {
                $0.kind = "Connection"
                $0.name = name
            })
    }
}

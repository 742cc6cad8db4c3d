import Feed
import Manager
import ManagerAPI
import ManagerCore
import Spec
import TestKit
import Testing

/// What an edit of each field does to a live socket, field by field, as the table says.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FieldTableLiveTests {
    private struct Case {
        var field: Field
        var name: String
        var edit: FieldEdit
        /// Told apart at the feed by its query.
        var url: String

        var before: [String: String] {
            var values = edit.before
            values["url"] = #""\#(url)""#
            values["topic"] = #""t""#
            for (path, value) in ["reconnect.base": "10ms", "reconnect.cap": "50ms"] {
                values[path] = #""\#(value)""#
            }
            return values
        }

        var after: [String: String] {
            var values = before
            values[field.path] = edit.after
                .split(separator: "<url>", omittingEmptySubsequences: false)
                .joined(separator: url)
            return values
        }
    }

    private struct Feeds {
        var plain: FeedServer
        var secure: FeedServer
        var certificates: TestCertificates

        var handshakes: [FeedHandshakeRecord] { plain.handshakes + secure.handshakes }

        /// Upgrades granted to one connection.
        func opened(_ name: String) -> Int {
            handshakes.count { $0.target.contains("name=\(name).") }
        }

        func cases() throws -> [Case] {
            let edits = FieldEdit.all(ca: certificates.caPEM, otherCA: certificates.otherCAPEM)
            return try FieldTable.fields.map { field in
                let edit = try #require(
                    edits[field.path], "\(field.path) has no edit here: add one to FieldEdit.all")
                let name = field.path.lowercased()
                let path = "/mute?name=\(name)."
                return Case(
                    field: field, name: name, edit: edit,
                    url: edit.isSecure
                        ? secure.url(path, scheme: "wss", host: "localhost") : plain.url(path))
            }
        }
    }

    private func run(_ body: (Live, Feeds) async throws -> Void) async throws {
        let certificates = try TestCertificates.make()
        let secure = try await FeedServer.start(
            tls: FeedTLS(
                certificatePEM: Array(certificates.serverPEM.utf8),
                keyPEM: Array(certificates.serverKeyPEM.utf8)))
        try await Live.run { live in
            for copy in ["client", "client-2"] {
                try live.secrets.write(certificates.clientPEM, to: "\(copy).pem")
                try live.secrets.write(certificates.clientKeyPEM, to: "\(copy).key")
            }
            try await body(
                live, Feeds(plain: live.feed, secure: secure, certificates: certificates))
        }
        await secure.stop()
    }

    private func apply(
        _ live: Live, _ cases: [Case], _ values: (Case) -> [String: String]
    ) async throws -> RunningServer.Applied {
        var header = Wsm_V1_ApplyHeader()
        header.set = "default"
        return try await live.server.apply(
            cases.map { (json: try FieldEdit.document($0.name, values($0)), origin: $0.name) },
            header: header)
    }

    @Test func everyFieldDoesToALiveSocketWhatTheTableSays() async throws {
        try await run { live, feeds in
            let cases = try feeds.cases()
            _ = try await apply(live, cases, \.before)
            for one in cases {
                #expect(
                    await live.server.ready(one.name),
                    "\(one.name): \(live.server.status(one.name)?.ready as Any)")
                #expect(feeds.opened(one.name) == 1)
            }
            let again = try await apply(live, cases, \.before)
            #expect(again.summary.unchanged == cases.count, "the same again is no edit")

            let applied = try await apply(live, cases, \.after)
            for one in cases {
                #expect(
                    await eventually {
                        live.server.isReady(one.name)
                            && live.server.observed(one.name)?.generation == 2
                            && feeds.opened(one.name) == (one.field.edit >= .reopen ? 2 : 1)
                    },
                    """
                    \(one.field.path) (\(one.field.edit.word)): \(feeds.opened(one.name)) \
                    handshakes, \(live.server.status(one.name)?.ready as Any)
                    """)
            }
            expectResults(applied, cases)
            // Nothing comes late: no socket is touched that should have stayed.
            _ = await always(for: .milliseconds(300)) { true }
            for one in cases {
                #expect(
                    feeds.opened(one.name) == (one.field.edit >= .reopen ? 2 : 1),
                    "\(one.field.path)")
                #expect(live.server.isReady(one.name))
            }
        }
    }

    private func expectResults(_ applied: RunningServer.Applied, _ cases: [Case]) {
        for (one, result) in zip(cases, applied.results) {
            #expect(result.name == one.name)
            #expect(result.action == .configured)
            #expect(result.edits.map(\.path) == [one.field.path], "only that field was edited")
            #expect(result.effect == one.field.edit.word)
            #expect(result.cutsSocket == (one.field.edit >= .reopen))
        }
        #expect(
            Int(applied.summary.cutSockets) == cases.count { $0.field.edit >= .reopen })
    }

    // MARK: The edits are in force

    @Test func aNewTopicTakesEffectOnTheLiveSocket() async throws {
        try await Live.run { live in
            try await live.server.apply(
                manifest("a", "url: \(live.feed.url("/mute"))\ntopic: before"))
            #expect(await live.server.ready("a"))
            live.feed.broadcast("one", to: "/mute")
            #expect(await eventually { live.bus.texts(on: "before") == ["one"] })
            try await live.server.apply(
                manifest("a", "url: \(live.feed.url("/mute"))\ntopic: after"))
            #expect(await live.server.ready("a"))
            live.feed.broadcast("two", to: "/mute")
            #expect(await eventually { live.bus.texts(on: "after") == ["two"] })
            #expect(live.bus.accepted(on: "after").first?.id.sequence == 2)
            #expect(live.opened("/mute") == 1)
        }
    }

    @Test func aSmallerMaxMessageSizeHoldsFromTheNextMessageOn() async throws {
        try await Live.run { live in
            try await live.declare("a", "/mute")
            #expect(await live.server.ready("a"))
            live.feed.broadcast(String(repeating: "x", count: 5_000), to: "/mute")
            #expect(await eventually { live.bus.texts(on: "a").count == 1 })
            try await live.declare("a", "/mute", "maxMessageSize: 1KiB")
            #expect(await live.server.ready("a"))
            #expect(live.opened("/mute") == 1)
            live.feed.broadcast(String(repeating: "x", count: 5_000), to: "/mute")
            #expect(
                await eventually {
                    live.feed.stats(of: "/mute").closeCodesReceived == [1_009]
                })
            #expect(await eventually { live.opened("/mute") == 2 })
            #expect(live.bus.texts(on: "a").count == 1)
        }
    }

    @Test func pingsBeginAndEndWithAnEdit() async throws {
        try await Live.run { live in
            try await live.declare("a", "/mute", "keepalive: {pingInterval: 0s}")
            #expect(await live.server.ready("a"))
            #expect(
                await always(for: .milliseconds(200)) {
                    live.feed.stats(of: "/mute").pingsReceived == 0
                })
            try await live.declare("a", "/mute", "keepalive: {pingInterval: 100ms}")
            #expect(await eventually { live.feed.stats(of: "/mute").pingsReceived >= 3 })
            try await live.declare("a", "/mute", "keepalive: {pingInterval: 0s}")
            #expect(await live.server.ready("a"))
            let pings = live.feed.stats(of: "/mute").pingsReceived
            #expect(
                await always(for: .milliseconds(300)) {
                    live.feed.stats(of: "/mute").pingsReceived <= pings + 1
                })
            #expect(live.opened("/mute") == 1)
        }
    }

    @Test func aChangedDataFormGoesOutWithTheNextMessage() async throws {
        try await Live.run { live in
            try await live.declare("a", "/mute")
            #expect(await live.server.ready("a"))
            live.feed.broadcast("{}", to: "/mute")
            #expect(await eventually { live.bus.accepted(on: "a").count == 1 })
            try await live.declare("a", "/mute", "publish: {data: base64}")
            #expect(await live.server.ready("a"))
            live.feed.broadcast("{}", to: "/mute")
            #expect(await eventually { live.bus.accepted(on: "a").count == 2 })
            #expect(live.bus.accepted(on: "a").map(\.data) == [.auto, .base64])
        }
    }

    @Test func loweringABoundDropsNothing() async throws {
        try await Live.run { live in
            try await live.declare("a", "/mute", "buffer: {messages: 1000, overflow: dropNewest}")
            #expect(await live.server.ready("a"))
            live.bus.mode = .stalled
            live.broadcast((0..<500).map { "m\($0)" }, to: "/mute")
            #expect(await live.received("a", atLeast: 500))
            try await live.declare("a", "/mute", "buffer: {messages: 10, overflow: dropNewest}")
            #expect(await eventually { live.server.observed("a")?.generation == 2 })
            live.bus.mode = .accepting
            #expect(await eventually { live.traffic("a").published == 500 })
            #expect(live.traffic("a").dropped.total == 0)
        }
    }

    @Test func anEditBackAndForthOfAReopenFieldCutsTwice() async throws {
        try await Live.run { live in
            for (round, token) in ["1", "2", "1"].enumerated() {
                try await live.declare("a", "/mute", "headers: {X-Token: '\(token)'}")
                #expect(await live.server.ready("a"))
                #expect(live.opened("/mute") == round + 1)
            }
            #expect(
                live.feed.handshakes.map { $0.header("X-Token") } == ["1", "2", "1"])
            #expect(
                live.feed.stats(of: "/mute").closeCodesReceived == [1_000, 1_000],
                "an old socket is closed in order")
        }
    }
}

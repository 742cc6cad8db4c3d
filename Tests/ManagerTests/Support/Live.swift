import Feed
import Manager
import ManagerCore
import TestKit

/// A server and the upstream it dials, for the length of one test.
struct Live {
    let server: RunningServer
    let feed: FeedServer
    let bus: RecordingBus
    /// `--secrets-dir`.
    let secrets: TemporaryDirectory

    static func run(
        tls: FeedTLS? = nil, store: any StateStore = InMemoryStateStore(),
        configure: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (Live) async throws -> Void
    ) async throws {
        let feed = try await FeedServer.start(tls: tls)
        let bus = RecordingBus()
        let secrets = try TemporaryDirectory()
        let server = try await RunningServer.start(store: store, bus: bus) {
            $0.secretsDirectory = secrets.path
            $0.drainTimeout = .seconds(2)
            configure(&$0)
        }
        let live = Live(server: server, feed: feed, bus: bus, secrets: secrets)
        do {
            try await body(live)
        } catch {
            await live.stop()
            throw error
        }
        await live.stop()
    }

    private func stop() async {
        bus.mode = .accepting
        await server.stop()
        await feed.stop()
    }

    /// Declares one connection to a path of the feed, with short waits.
    func declare(_ name: String, _ path: String, _ extra: String = "") async throws {
        try await server.apply(
            manifest(
                name,
                """
                url: \(feed.url(path))
                topic: \(name)
                \(extra.contains("reconnect:") ? "" : "reconnect: {base: 10ms, cap: 50ms}")
                \(extra)
                """))
    }

    func opened(_ path: String) -> Int { feed.stats(of: path).opened }

    func traffic(_ name: String) -> TrafficCounters {
        server.observed(name)?.traffic ?? TrafficCounters()
    }

    /// Sends texts on a path one by one, each a message of its own.
    func broadcast(_ texts: some Sequence<String>, to path: String) {
        for text in texts { feed.broadcast(text, to: path) }
    }

    func received(_ name: String, atLeast count: UInt64) async -> Bool {
        await eventually { traffic(name).receivedMessages >= count }
    }
}

extension TrafficCounters {
    /// Every message received is in exactly one place.
    var addUp: Bool {
        receivedMessages == published + dropped.total + UInt64(bufferedMessages)
    }
}

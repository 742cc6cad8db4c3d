import Feed
import Manager
import ManagerCore
import TestKit
import Testing

/// A server that ends and starts again on the same data directory.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RestartTests {
    @Test func everythingComesBackAndIsDialledOnce() async throws {
        let feed = try await FeedServer.start()
        let directory = try TemporaryDirectory()
        let names = (0..<50).map { "c\($0)" }
        // In a function of its own, so that the first server is gone with its lock.
        func firstLife() async throws -> (epoch: UInt64, uids: [ConnectionUID?]) {
            let first = try await RunningServer.start(dataDirectory: directory.path)
            try await first.apply(
                names.map { manifest($0, "url: \(feed.url("/mute"))\ntopic: t") }
                    .joined(separator: "---\n"))
            #expect(await eventually { names.allSatisfy { first.isReady($0) } })
            let facts = (first.server.store.epoch, names.map { first.desired($0)?.uid })
            await first.stop()
            return facts
        }
        let (epoch, uids) = try await firstLife()
        #expect(await eventually { feed.connections == 0 })

        let second = try await RunningServer.start(dataDirectory: directory.path)
        #expect(second.server.store.epoch > epoch)
        #expect(names.map { second.desired($0)?.uid } == uids)
        #expect(await eventually { names.allSatisfy { second.isReady($0) } })
        #expect(feed.stats(of: "/mute").opened == 100)
        #expect(feed.stats(of: "/mute").open == 50)
        await second.stop()
        await feed.stop()
    }

    @Test func numbersStartAnewUnderANewEpochAndTheGapIsTold() async throws {
        let feed = try await FeedServer.start()
        let store = InMemoryStateStore()
        var ids: Set<String> = []
        for round in 0..<2 {
            let bus = RecordingBus()
            let server = try await RunningServer.start(store: store, bus: bus)
            try await server.apply(manifest("a", "url: \(feed.url("/first?count=5"))\ntopic: t"))
            #expect(await eventually { bus.accepted(on: "t").count == 5 })
            for event in bus.accepted(on: "t") {
                #expect(event.id.epoch == server.server.store.epoch)
                #expect(ids.insert(event.id.description).inserted, "\(event.id) came twice")
            }
            #expect(bus.accepted(on: "t").map(\.id.sequence) == Array(1...5))
            if round == 1 {
                #expect(
                    await eventually {
                        bus.texts(on: LifecycleEvent.topic)
                            .contains { $0.contains(#""cause":"restart""#) }
                    })
            }
            await server.stop()
        }
        #expect(ids.count == 10)
        await feed.stop()
    }

    @Test func aSpentDialIsNotRepeatedAfterARestart() async throws {
        let feed = try await FeedServer.start()
        let store = InMemoryStateStore()
        let first = try await RunningServer.start(store: store)
        try await first.apply(
            manifest("a", "url: \(feed.url("/mute"))\nautoReconnect: false"))
        #expect(await first.ready("a"))
        await first.stop()
        let second = try await RunningServer.start(store: store)
        #expect(await always(for: .milliseconds(200)) { feed.accepted == 1 })
        #expect(second.status("a")?.phase == .disconnected)
        #expect(second.status("a")?.ready.reason == "ReconnectDisabled")
        await second.stop()
        await feed.stop()
    }

    @Test func aSecondServerOnOneDataDirectoryIsRefused() async throws {
        let directory = try TemporaryDirectory()
        let first = try await RunningServer.start(dataDirectory: directory.path)
        await #expect(throws: DataDirectoryLock.Taken.self) {
            try await RunningServer.start(dataDirectory: directory.path)
        }
        await first.stop()
    }

    @Test func aPortThatIsTakenIsNamed() async throws {
        let first = try await RunningServer.start()
        do {
            let second = try await RunningServer.start { $0.grpcPort = first.server.grpcPort }
            await second.stop()
            Issue.record("two servers on one port")
        } catch let invalid as ServerConfiguration.Invalid {
            #expect(invalid.description.contains("\(first.server.grpcPort)"))
            #expect(invalid.description.contains("--grpc-port"))
        }
        await first.stop()
    }

    @Test func anAddressThatIsNotLoopbackIsRefused() {
        var configuration = ServerConfiguration(dataDirectory: "/nowhere", instanceID: "i")
        configuration.bind = "0.0.0.0"
        #expect(throws: ServerConfiguration.Invalid.self) { try configuration.validate() }
        configuration.bind = "::1"
        #expect(throws: Never.self) { try configuration.validate() }
    }
}

import Feed
import ManagerAPI
import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

struct APIConnectionDefaultsTests {
    private func spec(
        _ edit: (inout ServerConfiguration.APIConnectionDefaults) -> Void
    ) -> ConnectionSpec {
        var spec = ConnectionSpec(url: "ws://a.example/")
        spec.autoReconnect = true
        var defaults = ServerConfiguration.APIConnectionDefaults()
        edit(&defaults)
        defaults.apply(to: &spec)
        return spec
    }

    @Test func nothingGivenChangesNothing() {
        var plain = ConnectionSpec(url: "ws://a.example/")
        plain.autoReconnect = true
        #expect(spec { _ in } == plain)
    }

    @Test func aBaseAboveTheCapRaisesTheCap() {
        let raised = spec { $0.reconnectBase = .seconds(45) }
        #expect(raised.reconnect.base == .seconds(45) && raised.reconnect.cap == .seconds(45))
        let kept = spec { $0.reconnectBase = .milliseconds(10) }
        #expect(kept.reconnect.cap == .seconds(30))
    }

    @Test func noAttemptsAreNoAutoReconnect() {
        #expect(!spec { $0.neverReconnects = true }.autoReconnect)
    }

    @Test func connectPutsThemIntoWhatItMakes() async throws {
        let feed = try await FeedServer.start()
        let server = try await RunningServer.start {
            $0.apiDefaults.maxAttempts = 3
            $0.apiDefaults.reconnectBase = .milliseconds(70)
            $0.apiDefaults.sendTimeout = .milliseconds(90)
        }
        var request = Virtufin_ConnectRequest()
        request.url = feed.url("/echo")
        request.autoReconnect = true
        let id = try await server.manager.connect(request).id
        let spec = try #require(server.desired(id)?.spec)
        #expect(spec.autoReconnect && spec.reconnect.maxAttempts == 3)
        #expect(spec.reconnect.base == .milliseconds(70))
        #expect(spec.correlation.timeout == .milliseconds(90))
        await server.stop()
        await feed.stop()
    }
}

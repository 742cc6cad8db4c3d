import Feed
import GRPCCore
import Manager
import ManagerAPI
import ManagerCore
import TestKit
import Testing

/// The egress guard in a whole server.
@Suite(.serialized, .timeLimit(.minutes(1))) struct EgressLiveTests {
    private func connect(_ live: Live, _ url: String) async -> RPCError? {
        var request = Virtufin_ConnectRequest()
        request.url = url
        request.autoReconnect = true
        do {
            _ = try await live.server.manager.connect(request)
            return nil
        } catch {
            return error as? RPCError
        }
    }

    @Test(arguments: [
        ("ws://10.0.0.1/", "10.0.0.1 is a private address"),
        ("ws://[fd12::1]/", "fd12::1 is a private address"),
        ("ws://169.254.169.254/latest/", "169.254.169.254 is a cloud metadata address"),
        ("ws://[::ffff:a9fe:a9fe]/", "which stands for 169.254.169.254"),
        ("ws://0xa9fea9fe/", "169.254.169.254 is a cloud metadata address"),
    ])
    func aConnectIsDeniedByAddressAndFlag(_ url: String, _ words: String) async throws {
        try await Live.run { live in
            let error = await connect(live, url)
            #expect(error?.code == .permissionDenied)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("--allow-cidr") == true)
            #expect(live.server.server.store.desiredNames().isEmpty, "no record is left")
        }
    }

    @Test func loopbackIsFreeWhileBothPortsAreBoundToIt() async throws {
        try await Live.run { live in
            #expect(await connect(live, live.feed.url("/mute")) == nil)
        }
    }

    @Test func aManifestShowsTheRefusalAsItsConditionAndIsTriedAtTheCap() async throws {
        try await Live.run { live in
            try await live.server.apply(
                manifest(
                    "a", "url: ws://169.254.169.254/latest\nreconnect: {base: 1s, cap: 30s}"))
            #expect(await eventually { live.server.status("a")?.phase == .stalled })
            let status = try #require(live.server.status("a"))
            for type in ["Ready", "Connected", "Stalled"] {
                let condition = try #require(status.conditions.first { $0.type == type })
                #expect(condition.reason == "AddressRefused")
                #expect(condition.message.contains("169.254.169.254 is a cloud metadata address"))
                #expect(condition.message.contains("--allow-cidr"))
            }
            let failure = try #require(status.observed.lastFailure)
            #expect(failure.failureClass == .configuration)
            #expect(failure.code == "addressRefused")
            guard case .down(let down) = status.observed.state else {
                Issue.record("it is not down")
                return
            }
            #expect(down.nextAttemptAt > .now.advanced(by: .seconds(15)), "at the cap")
            #expect(await eventually { live.bus.lifecycle(of: "a").contains("error") })
            #expect(
                live.bus.texts(on: LifecycleEvent.topic).contains {
                    $0.contains(#""error_type":"addressRefused""#)
                })
            // An edit to a host that may be dialled does not wait for the cap.
            try await live.declare("a", "/mute")
            #expect(await live.server.ready("a"))
            #expect(live.server.observed("a")?.refusedAddress == nil)
        }
    }

    @Test(arguments: [
        ("ten", "--allow-cidr ten: it is no address range"),
        ("10.1.2.3/8", "write 10.0.0.0/8"),
        ("169.254.169.254/32", "cloud metadata addresses are never dialled"),
        ("fe80::/10", "link-local addresses are never dialled"),
    ])
    func aFlagWithoutEffectIsRefusedAtTheStart(_ cidr: String, _ words: String) {
        var configuration = ServerConfiguration(dataDirectory: "/nowhere", instanceID: "i")
        configuration.allowedCIDRs = ["10.0.0.0/8", cidr]
        #expect {
            try configuration.validate()
        } throws: { error in
            "\(error)".contains(words)
        }
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("::1", true), ("localhost", true), ("127.0.0.2", true),
        ("0.0.0.0", false), ("::", false), ("192.168.1.5", false), ("host.example", false),
    ])
    func whetherThePortsAreBoundToLoopbackIsSeen(_ bind: String, _ expected: Bool) throws {
        var configuration = ServerConfiguration(dataDirectory: "/nowhere", instanceID: "i")
        configuration.bind = bind
        #expect(configuration.isBoundToLoopback == expected)
        #expect(try configuration.egressPolicy().isBoundToLoopback == expected)
    }
}

import Feed
import NIOCore
import Testing

@testable import WebSocket

/// Hosts with several addresses.
@Suite(.timeLimit(.minutes(1)))
struct AddressRaceTests {
    /// A resolver with fixed answers.
    struct Fixed: HostResolver {
        var addresses: [SocketAddress]

        func resolve(
            _ host: String,
            port: Int,
            on loop: any EventLoop
        ) -> EventLoopFuture<[SocketAddress]> {
            loop.makeSucceededFuture(self.addresses)
        }
    }

    static func address(_ ip: String, _ port: Int) throws -> SocketAddress {
        try SocketAddress(ipAddress: ip, port: port)
    }

    @Test func familiesTakeTurns() throws {
        let addresses = try [
            Self.address("::1", 1), Self.address("::2", 1), Self.address("::3", 1),
            Self.address("127.0.0.1", 1), Self.address("127.0.0.2", 1),
        ]
        #expect(
            AddressRace.interleaved(addresses).map(\.ipAddress) == [
                "::1", "127.0.0.1", "::2", "127.0.0.2", "::3",
            ])
        #expect(AddressRace.interleaved([]).isEmpty)
    }

    @Test func aRefusedAddressGivesWayToTheNext() async throws {
        let closed = try await DialFailureTests.closedPort()
        let server = try await FeedServer.start()
        let resolver = Fixed(addresses: [
            try Self.address("127.0.0.1", closed), try Self.address("127.0.0.1", closed),
            try Self.address("127.0.0.1", server.port),
        ])
        try await Loopback.with(resolver: resolver) { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/mute", recorder)
            #expect(try await connection.ask(\.remoteAddress) == "127.0.0.1:\(server.port)")
        }
        await server.stop()
    }

    @Test func anAddressThatHangsIsOvertaken() async throws {
        let full = try FullListener.start()
        defer { full.stop() }
        let server = try await FeedServer.start()
        let resolver = Fixed(addresses: [
            try Self.address("127.0.0.1", full.port), try Self.address("127.0.0.1", server.port),
        ])
        try await Loopback.with(resolver: resolver) { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/mute", recorder)
            #expect(try await connection.ask(\.remoteAddress) == "127.0.0.1:\(server.port)")
        }
        await server.stop()
    }

    @Test func whenAllAreRefusedTheDialIs() async throws {
        let closed = try await DialFailureTests.closedPort()
        let address = try Self.address("127.0.0.1", closed)
        try await Loopback.with(resolver: Fixed(addresses: [address, address])) { loopback in
            let error = try await loopback.failure("/")
            #expect(error.code == .refused)
        }
    }

    @Test func theSystemResolvesLocalhost() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/mute", recorder) { $0.host = "localhost" }
            #expect(
                try await connection.ask(\.remoteAddress) == "127.0.0.1:\(loopback.server.port)")
        }
    }
}

import Feed
import NIOCore
import Synchronization
import Testing

@testable import WebSocket

/// What the request's filter refuses is never connected to.
@Suite(.timeLimit(.minutes(1)))
struct AddressFilterTests {
    /// A name server that changes its mind: each look-up gets the next answer, the last one stays.
    final class Changing: HostResolver {
        let answers: Mutex<[[SocketAddress]]>
        let asked = Mutex(0)

        init(_ answers: [SocketAddress]...) {
            self.answers = Mutex(answers)
        }

        func resolve(
            _ host: String,
            port: Int,
            on loop: any EventLoop
        ) -> EventLoopFuture<[SocketAddress]> {
            self.asked.withLock { $0 += 1 }
            return loop.makeSucceededFuture(
                self.answers.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? [] })
        }
    }

    static let metadata = "169.254.169.254"

    static func refusingMetadata(_ address: SocketAddress) -> String? {
        address.ipAddress == Self.metadata ? "\(Self.metadata) is refused" : nil
    }

    @Test func whenAllAreRefusedTheDialIsAndNothingIsSent() async throws {
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/mute") {
                $0.addressFilter = { "\($0.ipAddress ?? "") is not for us" }
            }
            #expect(error.code == .addressRefused)
            #expect(error.phase == .connect)
            #expect(
                error.message
                    == "connect 127.0.0.1:\(loopback.server.port): 127.0.0.1 is not for us")
            #expect(loopback.server.accepted == 0)
        }
    }

    @Test func oneRefusedAddressDoesNotSpoilTheOthers() async throws {
        let server = try await FeedServer.start()
        let resolver = Changing([
            try SocketAddress(ipAddress: Self.metadata, port: server.port),
            try SocketAddress(ipAddress: "127.0.0.1", port: server.port),
        ])
        try await Loopback.with(resolver: resolver) { loopback in
            let asked = Mutex<[String]>([])
            let connection = try await loopback.open("/mute", Recorder()) {
                $0.addressFilter = { address in
                    asked.withLock { $0.append(address.ipAddress ?? "") }
                    return Self.refusingMetadata(address)
                }
            }
            #expect(try await connection.ask(\.remoteAddress) == "127.0.0.1:\(server.port)")
            #expect(asked.withLock { $0 } == [Self.metadata, "127.0.0.1"])
        }
        await server.stop()
    }

    @Test func aNameIsLookedUpOnceAndWhatWasAskedAboutIsConnectedTo() async throws {
        let server = try await FeedServer.start()
        let resolver = Changing(
            [try SocketAddress(ipAddress: "127.0.0.1", port: server.port)],
            [try SocketAddress(ipAddress: Self.metadata, port: 80)])
        try await Loopback.with(resolver: resolver) { loopback in
            let connection = try await loopback.open("/mute", Recorder()) {
                $0.host = "rebound.example"
                $0.addressFilter = { Self.refusingMetadata($0) }
            }
            #expect(try await connection.ask(\.remoteAddress) == "127.0.0.1:\(server.port)")
            #expect(resolver.asked.withLock { $0 } == 1)
            connection.close(code: 1000, reason: "")
            try await eventually { server.connections == 0 }
            // The next dial asks again, and its answer is judged again.
            let error = try await loopback.failure("/mute") {
                $0.host = "rebound.example"
                $0.addressFilter = { Self.refusingMetadata($0) }
            }
            #expect(error.code == .addressRefused)
            #expect(error.message.hasSuffix("\(Self.metadata) is refused"))
        }
        await server.stop()
    }
}

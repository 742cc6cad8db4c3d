import Feed
import Synchronization
import Testing

@testable import WebSocket

/// A dial asks for its right to go on at the places where it would be seen.
@Suite(.timeLimit(.minutes(1)))
struct DialPermitTests {
    @Test func withoutItNobodyIsConnectedTo() async throws {
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/mute") { $0.permit = { false } }
            #expect(error.code == .notPermitted)
            #expect(error.phase == .connect)
            #expect(loopback.server.accepted == 0)
        }
    }

    @Test func lostMeanwhileNothingIsAskedOfTheServer() async throws {
        try await Loopback.with { loopback in
            let asked = Mutex(0)
            let error = try await loopback.failure("/mute") {
                $0.permit = {
                    asked.withLock { asked in
                        asked += 1
                        return asked == 1
                    }
                }
            }
            #expect(error.code == .notPermitted)
            #expect(error.phase == .upgrade)
            #expect(asked.withLock { $0 } == 2)
            #expect(loopback.server.handshakes.isEmpty)
        }
    }
}

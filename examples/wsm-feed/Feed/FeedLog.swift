import NIOCore
import NIOPosix
import Synchronization

/// What happened on one path.
package struct FeedPathStats: Sendable, Hashable {
    /// Upgrades granted so far.
    package var opened = 0
    /// Connections open now.
    package var open = 0
    package var messagesReceived = 0
    package var messagesSent = 0
    package var pingsReceived = 0
    package var pongsReceived = 0
    /// The codes of the close frames received, in order; 1005 for a frame without one.
    package var closeCodesReceived: [UInt16] = []
}

/// One upgrade that was granted.
package struct FeedHandshakeRecord: Sendable {
    package var time: ContinuousClock.Instant
    package var path: String
    /// The request target with its query.
    package var target: String
    package var headers: [(name: String, value: String)]

    /// The first value of a header, without regard to case.
    package func header(_ name: String) -> String? {
        let name = name.lowercased()
        return self.headers.first { $0.name.lowercased() == name }?.value
    }
}

/// Remembers connections and counts; called from every loop of the server.
package final class FeedLog: Sendable {
    /// Upgrades remembered: enough for a test with thousands of connections.
    package static let handshakeLimit = 20_000
    /// Close codes remembered per path.
    static let closeCodeLimit = 1_000

    private struct State {
        var accepted = 0
        var channels: [ObjectIdentifier: any Channel] = [:]
        var paths: [ObjectIdentifier: String] = [:]
        var stats: [String: FeedPathStats] = [:]
        var handshakes: [FeedHandshakeRecord] = []
    }

    private let state = Mutex(State())

    var acceptedCount: Int { self.state.withLock { $0.accepted } }
    var channels: [any Channel] { self.state.withLock { Array($0.channels.values) } }
    var allStats: [String: FeedPathStats] { self.state.withLock { $0.stats } }
    var handshakes: [FeedHandshakeRecord] { self.state.withLock { $0.handshakes } }

    func stats(of path: String) -> FeedPathStats {
        self.state.withLock { $0.stats[path] ?? FeedPathStats() }
    }

    func channels(on path: String) -> [any Channel] {
        self.state.withLock { state in
            state.channels.filter { state.paths[$0.key] == path }.map(\.value)
        }
    }

    func accepted(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        self.state.withLock {
            $0.accepted += 1
            $0.channels[id] = channel
        }
        channel.closeFuture.whenComplete { _ in self.ended(id) }
    }

    private func ended(_ id: ObjectIdentifier) {
        self.state.withLock { state in
            state.channels[id] = nil
            if let path = state.paths.removeValue(forKey: id) {
                state.stats[path, default: FeedPathStats()].open -= 1
            }
        }
    }

    func opened(_ channel: any Channel, _ record: FeedHandshakeRecord) {
        self.state.withLock { state in
            state.paths[ObjectIdentifier(channel)] = record.path
            state.stats[record.path, default: FeedPathStats()].opened += 1
            state.stats[record.path, default: FeedPathStats()].open += 1
            if state.handshakes.count >= Self.handshakeLimit {
                state.handshakes.removeFirst(Self.handshakeLimit / 2)
            }
            state.handshakes.append(record)
        }
    }

    func count(on path: String, _ change: (inout FeedPathStats) -> Void) {
        self.state.withLock { change(&$0.stats[path, default: FeedPathStats()]) }
    }

    func closeReceived(on path: String, code: UInt16) {
        self.count(on: path) {
            if $0.closeCodesReceived.count < Self.closeCodeLimit {
                $0.closeCodesReceived.append(code)
            }
        }
    }
}

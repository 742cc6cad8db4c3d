import NIOCore
import Synchronization

/// Looks again at connections that have something to do and may not act: one timer for each event
/// loop, and none while nobody waits.
package final class GateWatch: Sendable {
    /// From look to look: after a fence ends, or a hand-over is called off, all goes on this soon.
    static let interval: Duration = .milliseconds(250)

    private let waiting = Mutex<[ObjectIdentifier: [ManagedConnection]]>([:])

    package init() {}

    /// Has ``ManagedConnection/lookAtGate()`` called within an interval. On its event loop.
    func wait(_ connection: ManagedConnection) {
        let eventLoop = connection.eventLoop
        let isFirst = waiting.withLock { waiting in
            waiting[ObjectIdentifier(eventLoop), default: []].append(connection)
            return waiting[ObjectIdentifier(eventLoop)]?.count == 1
        }
        guard isFirst else { return }
        eventLoop.scheduleTask(in: TimeAmount(Self.interval)) { self.look(on: eventLoop) }
    }

    private func look(on eventLoop: any EventLoop) {
        let connections = waiting.withLock {
            $0.removeValue(forKey: ObjectIdentifier(eventLoop)) ?? []
        }
        for connection in connections { connection.lookAtGate() }
    }
}

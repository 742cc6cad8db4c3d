import DequeModule
import Logging
package import ManagerCore
package import NIOCore
import Reconciler
import Spec
import Synchronization
import WebSocket

/// One connection's lifetime across all its sockets: the shell around ``ConnectionStateMachine``.
///
/// Everything happens on one event loop, chosen when the connection is made; the calls marked
/// *any thread* hop there. What others may see is the ``observed`` snapshot, replaced once per read
/// and per transition. It does not decide to dial or to close for good: it is told to by the
/// reconcile loop, and tells what came of it through the environment's `onChange`.
///
/// `@unchecked Sendable`: the mutable properties are confined to `eventLoop`; every entry point hops
/// or asserts.
package final class ManagedConnection: @unchecked Sendable {
    package let name: String
    package let uid: ConnectionUID
    package let eventLoop: any EventLoop
    let environment: ConnectionEnvironment

    // MARK: Confined to the event loop

    var desired: DesiredConnection { didSet { outlet = MessageOutlet(desired) } }
    private(set) var outlet: MessageOutlet
    /// By what right it acts; from the shadow to a title once, never back.
    var right: ConnectionRight
    var machine: ConnectionStateMachine
    var generator = SystemRandomNumberGenerator()
    /// Of its messages; made with the first.
    lazy var origin = EventOrigin(desired, right)
    /// The running dial; `nil` while secrets are being read.
    var dial: WebSocketDial?
    var socket: WebSocketConnection?
    /// `nil` without a socket, and where no pings are asked for.
    @Apart var keepalive: KeepaliveStateMachine? = nil
    var keepaliveTimer = LoopTimer()

    var queue: PublishQueue<EventRun>
    /// Messages off the socket for which the queue has no room: the rest of one read.
    var backlog = Deque<WebSocketMessage>()
    /// Of the last message, and of the last lifecycle event. Under a title no other connection has
    /// the uid, so each number is given once.
    var sequence: UInt64 = 0
    private var lifecycleSequence: UInt64 = 0
    /// The sequence from which on an event belongs to the present socket.
    var firstSequenceOfSocket: UInt64 = 1

    var facts: ConnectionFacts
    var lastDownAt: WallTime?
    // The small ones in a row: each alone would take a word.
    /// Tells a dial apart from one that was cancelled and ended late.
    var dialNumber: UInt32 = 0
    /// Whose status word was published last.
    var lastPhase = Phase.pending
    var isReadingPaused = false
    var hasDeepReads = false
    var waitsForBudget = false
    var isBatchDue = false
    var publishRetry = PublishRetry()
    var isCallUnderWay = false
    var isWatchingGate = false
    /// A dial was due and might not begin.
    var wantsDial = false
    /// Why, and in which epoch, the gap began that the next open ends.
    var gapCause = LifecycleEvent.Gap.Cause.disconnected
    var gapEpoch: UInt64
    /// The gap event of a new owner is on its way, and goes first.
    var isAwaitingGapEvent = false
    // What the cluster asks of it; see the extensions for titles and for the shadow.
    /// A hand-over or a release: nothing new is begun, and the socket is not read.
    var isStopped = false
    /// About to be released: no socket any more.
    var isHungUp = false
    /// The title is gone.
    var isGone = false
    @Apart var recentFrames: RecentFrames? = nil

    /// What there is while something happens that mostly does not.
    @Apart var passing: PassingState? = nil

    // MARK: Shared

    private let snapshot: Mutex<Shown>

    private struct Shown {
        var traffic = TrafficCounters()
        var facts: ConnectionFacts
        /// In the table of the fleet it belongs to, which shows the same.
        var place: FleetFacts.Place?
    }

    convenience init(
        _ desired: DesiredConnection, eventLoop: any EventLoop, environment: ConnectionEnvironment,
        gate: ShardGate, stored: StoredStatus? = nil, succession: Succession? = nil
    ) {
        self.init(
            desired, eventLoop: eventLoop, environment: environment, right: .title(gate))
        if let succession {
            self.succession = succession
            formerEpoch = succession.epoch
        }
        if gate.title != nil { recentFrames = RecentFrames() }
        if succession == nil, let lastUp = stored?.connectedAt ?? stored?.lastClose?.at {
            // It was up in a life before this one: the first open tells of the gap.
            lastDownAt = lastUp
            gapCause = .restart
            gapEpoch = stored?.epoch ?? gate.epoch
        }
        // The last: from here on it is the loop's.
        if environment.spill?.holdsLeftovers(of: uid) == true {
            eventLoop.execute { self.openSpill() }
        }
    }

    init(
        _ desired: DesiredConnection, eventLoop: any EventLoop, environment: ConnectionEnvironment,
        right: ConnectionRight
    ) {
        self.right = right
        name = desired.name
        uid = desired.uid
        self.eventLoop = eventLoop
        self.environment = environment
        self.desired = desired
        outlet = MessageOutlet(desired)
        machine = ConnectionStateMachine(policy: desired.spec.reconnect)
        queue = PublishQueue(
            bounds: MessageAmount(desired.spec.buffer), overflow: desired.spec.buffer.overflow)
        facts = ConnectionFacts(
            name: desired.name, uid: desired.uid, generation: desired.generation)
        gapEpoch = right.epoch
        snapshot = Mutex(Shown(facts: facts))
    }

    /// Members of a line's metadata that there is room for at once.
    private static let usualMetadata = 6

    /// Writes a line with the connection's name. A logger of its own would hold 500 bytes.
    func log(
        _ level: Logger.Level, _ message: Logger.Message,
        _ metadata: @autoclosure () -> KeyValuePairs<String, Logger.MetadataValue> = [:]
    ) {
        guard environment.logger.logLevel <= level else { return }
        var all = Logger.Metadata(minimumCapacity: Self.usualMetadata)
        for (key, value) in metadata() { all[key] = value }
        all["wsm.connection.name"] = .string(name)
        all["wsm.connection.uid"] = .string(uid.description)
        environment.logger.log(level: level, message, metadata: all, source: "Manager")
    }

    /// What is true now. Any thread.
    package var observed: ObservedConnection {
        snapshot.withLock { ObservedConnection(traffic: $0.traffic, facts: $0.facts) }
    }

    /// Of it, what a pass decides on. Any thread.
    var passFacts: ObservedFacts { snapshot.withLock { ObservedFacts($0.facts) } }

    /// The fleet has it now: a resync compares it. Any thread.
    func enterFleet() {
        snapshot.withLock { $0.place = environment.fleetFacts.add(name, ObservedFacts($0.facts)) }
    }

    /// The fleet has it no more. Any thread.
    func leaveFleet() {
        snapshot.withLock { shown in
            if let place = shown.place.take() { environment.fleetFacts.remove(place) }
        }
    }

    /// Shows the dial that was asked for before the loop has begun it, so that nobody asks twice.
    func markDialing(_ dialRevision: Int64) {
        show { $0.facts.state = .dialing(.init(dialRevision: dialRevision)) }
    }

    private func show(_ body: (inout Shown) -> Void) {
        snapshot.withLock { shown in
            body(&shown)
            guard let place = shown.place else { return }
            environment.fleetFacts.set(place, ObservedFacts(shown.facts))
        }
    }

    /// Replaces the snapshot with what the machine says, and tells of it.
    func changed() {
        facts.read(machine, now: now)
        let phase = facts.noteConditions(desired: desired, now: environment.clock.wallTime())
        showFacts()
        announce(phase)
        environment.changes.note(name, on: eventLoop)
    }

    /// Replaces the snapshot without waking anybody.
    func refreshFacts() {
        facts.read(machine, now: now)
        showFacts()
    }

    private func showFacts() {
        show {
            $0.facts = facts
            countTraffic(&$0.traffic)
        }
    }

    /// Shows the counters of the queue only, as after each read.
    func refreshTraffic() {
        count { countTraffic(&$0) }
    }

    /// Counts what was received; the counters are kept where they are shown.
    func count(_ body: (inout TrafficCounters) -> Void) {
        snapshot.withLock { body(&$0.traffic) }
    }

    /// Brings in what the queue has counted.
    func countTraffic(_ traffic: inout TrafficCounters) {
        traffic.published = queue.delivered
        traffic.dropped = queue.dropped
        let spilled = spill?.queue.held ?? MessageAmount()
        traffic.bufferedMessages = queue.held.messages + backlog.count + spilled.messages
        traffic.bufferedBytes = queue.held.bytes + spilled.bytes
    }

    // MARK: Events for people

    /// Publishes what the older service would: an event for each change of the status word, and
    /// the error before the transition it causes.
    private func announce(_ phase: Phase) {
        let word = phase.statusWord
        let before = lastPhase.statusWord
        guard word != before, !right.isShadow else { return }
        lastPhase = phase
        let kind: LifecycleEvent.Kind =
            switch word {
            case .connected: .connected(reason: before)
            case .connecting: .connecting(reason: before)
            case .reconnecting:
                .reconnecting(
                    reason: before, attempt: max(1, machine.attempt),
                    nextAttemptAt: facts.nextAttemptAt)
            case .disconnected: .disconnected(reason: before)
            }
        publishEvent(kind)
    }

    /// - Parameter then: called once it is with the bus, or never will be. Any thread.
    func publishEvent(_ kind: LifecycleEvent.Kind, then: (@Sendable () -> Void)? = nil) {
        guard let gate = right.gate, !isGone else { return }
        var event = LifecycleEvent(
            connectionID: name, url: desired.spec.redactedURL,
            instanceID: environment.instanceID, kind: kind)
        event.publishedLate = publishedLate
        publishedLate = 0
        lifecycleSequence += 1
        let run = event.run(
            uid: uid, sequence: lifecycleSequence, time: wallTime, permit: gate)
        environment.lifecycle.publish(run, under: gate, on: eventLoop, then: then)
    }
}

extension ConnectionSpec {
    /// Without query and credentials: what events, logs and lists may show.
    package var redactedURL: String {
        guard let redacted = (try? Endpoint.parse(url))?.redacted else { return "invalid url" }
        // Mostly there is nothing to hide: then the one string serves for both.
        return redacted == url ? url : redacted
    }
}

extension EventOrigin {
    convenience init(_ desired: DesiredConnection, _ right: ConnectionRight) {
        self.init(
            uid: desired.uid, epoch: right.epoch, name: desired.name,
            url: desired.spec.redactedURL, permit: right.gate)
    }
}

extension MessageAmount {
    /// The declared bounds. What an event counts for beside its payload is added once, so that a
    /// message of the largest size allowed fits a buffer of that size.
    init(_ buffer: ConnectionSpec.Buffer) {
        self.init(
            messages: buffer.messages, bytes: buffer.bytes + OutboundEvent.overhead)
    }
}

extension CorrelationRule {
    /// - Returns: `nil` if the spec holds what the compiler would have refused.
    init?(spec: ConnectionSpec.Correlation) {
        guard let match = spec.match else {
            self.init(spec, matches: nil)
            return
        }
        guard let compiled = try? CompiledMatch(match) else { return nil }
        self.init(spec, matches: { compiled.matches(isText: $1, bytes: $0) })
    }
}

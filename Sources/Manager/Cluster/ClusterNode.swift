package import Logging
package import ManagerCore
package import NIOCore
import Synchronization

/// This instance's part in the cluster: the shell around ``ClusterMember``.
///
/// Everything happens on one event loop that is the node's own, so that no connection holds up a
/// heartbeat; calls marked *any thread* hop there. What others ask between two turns is answered
/// from a snapshot.
///
/// `@unchecked Sendable`: the mutable properties are confined to `eventLoop`; every entry point hops
/// or asserts.
package final class ClusterNode: @unchecked Sendable {
    /// How long a change may wait for its owner before its caller is told that nobody knows. Above
    /// the time that a forwarded call may take.
    static let changeLimit: Duration = .seconds(12)

    /// Between two looks that are shown while nothing is known to have changed.
    static let viewInterval: Duration = .milliseconds(200)

    /// What the node drives.
    package struct Ports: Sendable {
        package var connections: any ShardConnections
        package var memory: any ShardMemory
        package var link: any PeerLink
        /// For logs, metrics and events.
        package var onCount: @Sendable (ClusterAction.Counted) -> Void
        /// A fresh look, up to four times a second.
        package var onView: @Sendable (ClusterView) -> Void
        /// This instance's part in the cluster is over, and the process must end.
        package var onEnd: @Sendable (ClusterAction.ExitCause) -> Void

        package init(
            connections: any ShardConnections, memory: any ShardMemory, link: any PeerLink,
            onCount: @escaping @Sendable (ClusterAction.Counted) -> Void = { _ in },
            onView: @escaping @Sendable (ClusterView) -> Void = { _ in },
            onEnd: @escaping @Sendable (ClusterAction.ExitCause) -> Void = { _ in }
        ) {
            self.connections = connections
            self.memory = memory
            self.link = link
            self.onCount = onCount
            self.onView = onView
            self.onEnd = onEnd
        }
    }

    package let lease: LeaseGate
    let eventLoop: any EventLoop
    let clock: ClusterClock
    let logger: Logger
    private let store: any StateStore
    private let storeExecutor: (any TaskExecutor)?
    private let pulse: LoopPulse
    /// What there is to see before the first turn.
    private let initialMember: ClusterMember
    /// Names the calls of this process.
    private let origin: String

    // MARK: Confined to the event loop

    private var member: ClusterMember
    private var ports: Ports?
    private lazy var calls = makeCalls()
    private var gates: [Int: ShardGate] = [:]
    private var waiting: [CallToken: Waiting] = [:]
    private var lastCall: UInt64 = 0
    private var ticking: RepeatedTask?
    private var outbox: [String: [PeerMessage]] = [:]
    private var isFlushPlanned = false
    private var isSnapshotStale = true
    private var lastView = Moment.distantPast
    private var leaving: [CheckedContinuation<Void, Never>] = []
    private var hasEnded = false

    private struct Waiting {
        var group: ChangeGroup
        var index: Int
        var deadline: Moment
    }

    /// Changes of one call; resumed when all have their result.
    private final class ChangeGroup {
        var results: [CallResult]
        var open: Int
        let continuation: CheckedContinuation<[CallResult], Never>

        init(_ count: Int, _ continuation: CheckedContinuation<[CallResult], Never>) {
            results = Array(repeating: .unavailable, count: count)
            open = count
            self.continuation = continuation
        }
    }

    // MARK: Shared

    private let snapshot = Mutex(Snapshot())

    struct Snapshot: Sendable {
        var owners: [ShardOwner] = []
        var gates: [Int: ShardGate] = [:]
        var members: [ClusterPeer] = []
        var view: ClusterView?
    }

    /// - Parameters:
    ///   - eventLoop: of the node alone.
    ///   - storeExecutor: for the calls of the store, so that no other work holds up a heartbeat.
    ///   - eventLoops: of the connections; a heartbeat vouches for them.
    package init(
        configuration: ClusterConfiguration, store: any StateStore, eventLoop: any EventLoop,
        storeExecutor: (any TaskExecutor)? = nil, eventLoops: [any EventLoop],
        clock: ManagerClock, logger: Logger
    ) {
        let clock = ClusterClock(clock)
        self.clock = clock
        self.store = store
        self.eventLoop = eventLoop
        self.storeExecutor = storeExecutor
        self.logger = logger
        lease = LeaseGate(now: { clock.now })
        pulse = LoopPulse(eventLoops: eventLoops, now: { clock.now })
        var generator = SystemRandomNumberGenerator()
        origin = Incarnation.random(using: &generator).hex
        var configuration = configuration
        // Locked before the clock began: long ago.
        if configuration.lockedAt != nil { configuration.lockedAt = clock.now }
        member = ClusterMember(configuration: configuration, random: generator)
        initialMember = member
    }

    private func makeCalls() -> StoreCalls {
        StoreCalls(
            store: store, eventLoop: eventLoop, executor: storeExecutor,
            deadline: member.configuration.timing.storeDeadline, logger: logger
        ) { [unowned self] answer in
            switch answer {
            case .written(let call): handle(.writeEnded(call))
            case .read(let call, let items): handle(.readEnded(call, items))
            }
        }
    }

    /// Begins to join. Any thread; once.
    ///
    /// - Parameter address: where peers reach this instance, `host:port`.
    package func start(_ ports: Ports, address: String) {
        eventLoop.execute {
            var configuration = self.member.configuration
            configuration.address = address
            self.member = ClusterMember(
                configuration: configuration, random: SystemRandomNumberGenerator())
            self.ports = ports
            let tick = self.member.configuration.timing.tick
            self.ticking = self.eventLoop.scheduleRepeatedTask(
                initialDelay: .zero, delay: .nanoseconds(tick.saturatedNanoseconds)
            ) { _ in self.tick() }
        }
    }

    /// Stops at once, without leaving: for the end of a process that has left or must not.
    package func stop() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            eventLoop.execute {
                self.end()
                continuation.resume()
            }
        }
    }

    private func end() {
        hasEnded = true
        ticking?.cancel()
        ticking = nil
        lease.set(validUntil: nil)
        for gate in gates.values { gate.set(.ended) }
        for continuation in leaving { continuation.resume() }
        leaving = []
        for waiter in waiting.values { settle(waiter, .unavailable) }
        waiting = [:]
    }

    // MARK: Driving the machine

    private func tick() {
        handle(.tick(loopsLive: pulse.beat()))
        let now = clock.now
        if now - lastView >= Self.viewInterval { isSnapshotStale = true }
        for (token, waiter) in waiting where now >= waiter.deadline {
            waiting[token] = nil
            settle(waiter, .unavailable)
        }
    }

    func handle(_ input: ClusterInput) {
        guard !hasEnded else { return }
        let actions = member.handle(input, now: clock.now, wall: clock.wall)
        // A shard that is frozen must be so before anybody hears of it.
        for (shard, gate) in gates {
            guard let owned = member.seats[shard].owned, owned.title == gate.title else { continue }
            gate.set(owned.isFrozen ? .frozen : .open)
        }
        for action in actions { carryOut(action) }
        planFlush()
    }

    /// Sends what this turn has gathered, once, at its end.
    private func planFlush() {
        guard !isFlushPlanned else { return }
        isFlushPlanned = true
        eventLoop.execute {
            self.isFlushPlanned = false
            self.calls.flush(mayWrite: self.lease.isValid)
            let outbox = self.outbox
            self.outbox.removeAll(keepingCapacity: true)
            for (address, messages) in outbox { self.ports?.link.send(messages, to: address) }
            if self.isSnapshotStale { self.takeSnapshot() }
        }
    }

    private func carryOut(_ action: ClusterAction) {
        switch action {
        case .read(let call, let keys): calls.read(call, keys)
        case .write(let call, let key, let tag, let value):
            calls.write(call, key, replacing: tag, value)
        case .delete: preconditionFailure("no rule that the server keeps deletes a key")
        case .send(let message, let address): outbox[address, default: []].append(message)
        case .actUntil(let moment): lease.set(validUntil: moment)
        case .closeSockets: ports?.connections.closeSockets()
        case .redial: ports?.connections.redial()
        case .takeUp(let shard, let title, let origin): takeUp(shard, title, origin)
        case .answer(let token, let result): answer(token, result)
        case .count(let counted): ports?.onCount(counted)
        case .exit(let cause): exit(cause)
        case .shadow(let shard, let from, let records):
            ports?.connections.shadow(shard: shard, from: from, records)
        case .keepDigests(let shard, let from, let digests):
            ports?.connections.keepDigests(shard: shard, from: from, digests)
        case .dropShadow(let shard, let from):
            ports?.connections.dropShadow(shard: shard, from: from)
        case .open, .close, .stopReading, .hangUp, .resume, .drop, .collectDigests:
            carryOutUnderTitle(action)
        }
    }

    private func carryOutUnderTitle(_ action: ClusterAction) {
        guard let ports else { return }
        func gate(_ shard: Int, _ title: Title) -> ShardGate? {
            gates[shard].flatMap { $0.title == title ? $0 : nil }
        }
        isSnapshotStale = true
        switch action {
        case .open(let shard, let title, let record):
            guard let gate = gate(shard, title) else { return }
            // Memory first: whoever hears of the connection finds its record.
            ports.memory.opened(gate, record)
            ports.connections.opened(gate, record)
        case .close(let shard, let title, let name):
            gate(shard, title).map { ports.memory.closed($0, name: name) }
        case .stopReading(let shard, let title, let stop):
            gate(shard, title).map { ports.connections.stopReading($0, stop: stop) }
        case .hangUp(let shard, let title):
            gate(shard, title).map { ports.connections.hangUp($0) }
        case .resume(let shard, let title):
            gate(shard, title).map { ports.connections.resume($0) }
        case .collectDigests(let shard, let title):
            gate(shard, title).map { ports.connections.collectDigests($0) }
        case .drop(let shard, let title, let cause):
            guard let gate = gate(shard, title) else { return }
            gates[shard] = nil
            gate.set(.ended)
            // Connections first: their record must not be missed while they are still there.
            ports.connections.drop(gate, cause)
            ports.memory.dropped(gate)
        default: break
        }
    }

    private func takeUp(_ shard: Int, _ title: Title, _ origin: ShardHeader.Origin) {
        let gate = ShardGate(shard: shard, title: title, lease: lease)
        gates[shard] = gate
        isSnapshotStale = true
        ports?.memory.takeUp(gate)
        ports?.connections.takeUp(gate, origin: origin)
    }

    private func exit(_ cause: ClusterAction.ExitCause) {
        end()
        ports?.onEnd(cause)
    }

    // MARK: Changes

    private func answer(_ token: CallToken, _ result: CallResult) {
        guard let waiter = waiting.removeValue(forKey: token) else { return }
        settle(waiter, result)
    }

    private func settle(_ waiter: Waiting, _ result: CallResult) {
        waiter.group.results[waiter.index] = result
        waiter.group.open -= 1
        if waiter.group.open == 0 {
            waiter.group.continuation.resume(returning: waiter.group.results)
        }
    }

    private func begin(
        _ changes: [RecordChange], _ continuation: CheckedContinuation<[CallResult], Never>
    ) {
        guard !hasEnded, !changes.isEmpty else {
            let nobody = Array(repeating: CallResult.unavailable, count: changes.count)
            return continuation.resume(returning: nobody)
        }
        let group = ChangeGroup(changes.count, continuation)
        let deadline = clock.now + Self.changeLimit
        for (index, change) in changes.enumerated() {
            lastCall += 1
            let token = CallToken(origin: origin, number: lastCall)
            waiting[token] = Waiting(group: group, index: index, deadline: deadline)
            handle(.called(token, change))
        }
    }

    // MARK: Leaving

    private func leave(
        isRestart: Bool, _ continuation: CheckedContinuation<Void, Never>
    ) {
        guard !hasEnded else { return continuation.resume() }
        leaving.append(continuation)
        handle(.drain(isRestart: isRestart))
    }

    // MARK: The snapshot

    private func takeSnapshot() {
        let now = clock.now
        isSnapshotStale = false
        lastView = now
        var fresh = Snapshot()
        fresh.gates = gates
        fresh.owners = member.seats.indices.map { owner(of: $0, now: now) }
        if fresh.owners.contains(.nobody) { isSnapshotStale = true }
        fresh.members = member.livingMembers
        let view = ClusterView(member: member, now: now)
        fresh.view = view
        let taken = fresh
        snapshot.withLock { $0 = taken }
        ports?.onView(view)
    }

    private func owner(of shard: Int, now: Moment) -> ShardOwner {
        if let owned = member.seats[shard].owned {
            return member.serving(shard, now: now) == nil
                ? .nobody : .me(epoch: owned.title.shardEpoch)
        }
        guard let title = member.seats[shard].header?.title,
            let slot = member.roster.holder(title.identity), title.identity != member.identity
        else { return .nobody }
        return .other(instance: slot.node, address: slot.address, title: title)
    }
}

// MARK: What the rooms behind the API ask

extension ClusterNode: Cluster {
    package func owner(of name: String) -> ShardOwner {
        snapshot.withLock { snapshot in
            guard !snapshot.owners.isEmpty else { return .nobody }
            return snapshot.owners[Shards.shard(of: name, among: snapshot.owners.count)]
        }
    }

    package func gate(for name: String) -> ShardGate? {
        snapshot.withLock { snapshot in
            guard !snapshot.owners.isEmpty else { return nil }
            return snapshot.gates[Shards.shard(of: name, among: snapshot.owners.count)]
        }
    }

    package var members: [ClusterPeer] { snapshot.withLock { $0.members } }

    package func change(_ changes: [RecordChange]) async -> [CallResult] {
        await withCheckedContinuation { continuation in
            eventLoop.execute { self.begin(changes, continuation) }
        }
    }
}

// MARK: What peers and operators say

extension ClusterNode {
    /// Takes what a peer has sent. Any thread.
    package func receive(_ messages: [PeerMessage]) {
        eventLoop.execute { for message in messages { self.handle(.received(message)) } }
    }

    /// Hands over what this instance owns and frees its slot; returns when that is done, or has
    /// taken as long as a drain may. Any thread.
    package func leave(isRestart: Bool) async {
        await withCheckedContinuation { continuation in
            eventLoop.execute { self.leave(isRestart: isRestart, continuation) }
        }
    }

    /// Calls of the state store that wait for their answer.
    package func storeCallsUnderWay() async -> Int {
        await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: self.calls.underWay) }
        }
    }

    /// What the machine knows now.
    package func look<Result: Sendable>(
        _ body: @escaping @Sendable (ClusterMember, Moment) -> Result
    ) async -> Result {
        await withCheckedContinuation { continuation in
            eventLoop.execute {
                continuation.resume(returning: body(self.member, self.clock.now))
            }
        }
    }
}

extension ClusterNode: ClusterControl {
    /// Of the last quarter of a second.
    package var view: ClusterView {
        snapshot.withLock { $0.view } ?? ClusterView(member: initialMember, now: clock.now)
    }

    package var isLeaseValid: Bool { lease.isValid }

    package func drain(isRestart: Bool) {
        eventLoop.execute { self.handle(.drain(isRestart: isRestart)) }
    }

    package func callOffDrain() {
        eventLoop.execute { self.handle(.drainCalledOff) }
    }

    package func cordon(_ isWanted: Bool) {
        eventLoop.execute { self.handle(.cordon(isWanted)) }
    }
}

// MARK: What the connections report

extension ClusterNode: ClusterReports {
    package func drained(
        shard: Int, title: Title, stop: Int, _ digests: [ConnectionDigests]
    ) {
        eventLoop.execute {
            self.handle(.drained(shard: shard, title: title, stop: stop, digests))
        }
    }

    package func digests(shard: Int, title: Title, _ digests: [ConnectionDigests]) {
        eventLoop.execute { self.handle(.digests(shard: shard, title: title, digests)) }
    }

    package func shadowReady(shard: Int, from: Title) {
        eventLoop.execute { self.handle(.shadowReady(shard: shard, from: from)) }
    }

    package func socketDropped(shard: Int, title: Title) {
        eventLoop.execute { self.handle(.socketDropped(shard: shard, title: title)) }
    }
}

extension ClusterMember {
    /// This one first.
    var livingMembers: [ClusterPeer] {
        var peers: [ClusterPeer] = []
        for sight in roster.sights {
            guard let slot = sight.slot, slot.isHeld else { continue }
            let peer = ClusterPeer(
                instance: slot.node, address: slot.address, isMe: slot.identity == identity,
                isDraining: slot.state == .draining)
            if peer.isMe { peers.insert(peer, at: 0) } else { peers.append(peer) }
        }
        return peers
    }
}

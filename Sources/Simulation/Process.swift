import ManagerCore

/// A shell as thin as the server's: drives one ``ClusterMember`` and carries out its actions.
final class Process: CustomStringConvertible {
    unowned let place: Place
    unowned let world: World
    let life: Int
    var member: ClusterMember
    private(set) var isAlive = true
    /// Set while the process stands still.
    private(set) var pausedUntil: SimTime?
    private var backlog: [(Process) -> Void] = []
    private var openCalls: Set<CallID> = []
    var served: [Int: ServedShard] = [:]
    var shadows: [Int: Shadow] = [:]
    /// A hypervisor stopped both clocks and nobody has noticed yet.
    private(set) var isExcused = false
    /// Event loops, publisher and reconcile loop move.
    var areLoopsLive = true
    // Every frame that was read has a fate.
    var framesRead = 0
    var framesPublished = 0
    var framesCounted = 0

    init(place: Place, member: ClusterMember, life: Int) {
        self.place = place
        world = place.world
        self.member = member
        self.life = life
    }

    var description: String { "n\(place.index).\(life)" }
    var isPaused: Bool { pausedUntil != nil }

    func mayAct(_ shard: Int, _ title: Title) -> Bool {
        member.mayAct(shard: shard, title: title, now: place.clock)
    }

    // MARK: Running

    /// Runs `body` in the process: now, or when it wakes; never if it has ended.
    func soon(_ body: @escaping (Process) -> Void) {
        guard isAlive else { return }
        if isPaused { backlog.append(body) } else { body(self) }
    }

    func later(_ delay: SimTime, _ body: @escaping (Process) -> Void) {
        world.after(delay) { [weak self] in self?.soon(body) }
    }

    func handle(_ input: ClusterInput) {
        guard isAlive else { return }
        let actions = member.handle(input, now: place.clock, wall: place.wall)
        for action in actions where isAlive {
            perform(action)
            world.onAction?(self, action)
        }
        if isAlive { world.checker.handled(self, actions) }
    }

    func scheduleTick(after delay: SimTime) {
        later(delay) { process in
            process.isExcused = false
            process.handle(.tick(loopsLive: process.areLoopsLive))
            process.scheduleTick(
                after: process.place.real(process.member.configuration.timing.tick))
        }
    }

    enum PauseKind {
        /// The clocks go on (a stopped process).
        case stop
        /// The lease clock counts it, others do not (a suspended host).
        case suspend
        /// No clock counts it until the wall clock is set right.
        case hypervisor
    }

    func pause(_ duration: SimTime, _ kind: PauseKind = .stop) {
        guard isAlive, !isPaused else { return }
        pausedUntil = world.now + duration
        world.note("\(self) stands still (\(kind)) for \(duration / .millisecond) ms")
        let rules = world.configuration.rules
        let stopsClock = kind == .hypervisor || (kind == .suspend && !rules.leaseClockCountsSuspend)
        if stopsClock { place.stopClock() }
        if kind == .hypervisor { isExcused = true }
        world.after(duration) { [weak self] in self?.wake() }
    }

    private func wake() {
        guard isAlive else { return }
        place.startClock()
        pausedUntil = nil
        world.note("\(self) wakes")
        let waiting = backlog
        backlog = []
        for (index, body) in waiting.enumerated() {
            guard isAlive else { return }
            if isPaused {
                backlog = Array(waiting[index...]) + backlog
                return
            }
            body(self)
        }
    }

    func end() {
        isAlive = false
        for shard in served.values { for link in shard.links.values { link.vanish() } }
        for shadow in shadows.values { for link in shadow.links.values { link.vanish() } }
        backlog = []
    }

    // MARK: Store

    private func begin(_ call: CallID) {
        openCalls.insert(call)
        later(place.real(member.configuration.timing.storeDeadline)) { $0.finish(call, nil) }
    }

    private func finish(_ call: CallID, _ items: [(ClusterKey, ReadItem)]?) {
        guard openCalls.remove(call) != nil else { return }
        if let items {
            handle(.readEnded(call, items))
        } else if isRead.remove(call) != nil {
            handle(.readEnded(call, []))
        } else {
            handle(.writeEnded(call))
        }
        isRead.remove(call)
    }

    private var isRead: Set<CallID> = []

    private func read(_ call: CallID, _ keys: [ClusterKey]) {
        begin(call)
        isRead.insert(call)
        world.storeRead(keys, by: place.index) { [weak self] items in
            self?.soon { $0.finish(call, items) }
        }
    }

    private func write(
        _ call: CallID, _ key: ClusterKey, _ tag: StoreTag?, _ value: ClusterValue
    ) {
        begin(call)
        world.storeWrite(key, tag, value, by: self) { [weak self] in
            self?.soon { $0.finish(call, nil) }
        }
    }

    // MARK: Actions

    private func perform(_ action: ClusterAction) {
        switch action {
        case .read(let call, let keys): read(call, keys)
        case .write(let call, let key, let tag, let value): write(call, key, tag, value)
        case .delete(let key):
            world.after(world.random.time(.millisecond, 30 * .millisecond)) { [world] in
                world.store.delete(key)
            }
        case .send(let message, let address):
            world.note("\(self) → \(address): \(message.short)")
            world.send(message, from: place.index, to: address)
        case .actUntil(let until): if until != nil { pumpAll() }
        case .answer(let token, let result): world.clients.answered(token, result, world)
        case .count(let counted): counting(counted)
        case .exit(let cause):
            world.note("\(self) exits: \(cause)")
            end()
            place.ended(self)
        default: performOnShard(action)
        }
    }

    private func counting(_ counted: ClusterAction.Counted) {
        world.note("\(self) \(counted)")
        if let label = counted.label { world.saw(label) }
    }
}

extension PeerMessage {
    var short: String {
        switch self {
        case .ask(let ask): "ask \(ask.shard)"
        case .answer(let shard, _, _, let isYes): "answer \(shard) \(isYes ? "yes" : "no")"
        case .shadowReady(let shard, _, _): "shadow ready \(shard)"
        case .digests(let shard, _, let isFinal, _): "digests \(shard)\(isFinal ? " final" : "")"
        case .acknowledged(let shard, _, _): "acknowledged \(shard)"
        case .handOverEnded(let shard, _, let isDone): "hand-over \(shard) ended: \(isDone)"
        case .call(let token, let shard, _, let change, _):
            "call \(token.number) \(shard) \(change.kind) \(change.name)"
        case .result(let token, let result): "result \(token.number) \(result)"
        case .notOwner(let token, _): "not owner \(token.number)"
        }
    }
}

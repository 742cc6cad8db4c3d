import ManagerCore

/// One connection of a process: its socket, its buffer and its publish calls.
final class Link {
    private struct Call {
        var content: UInt64
        var sequence: UInt64
        var attempt = 0
        var isUnderWay = false
    }

    unowned let process: Process
    let shard: Int
    private(set) var title: Title
    let name: String
    let uid: UInt64
    private(set) var isShadow: Bool
    var isReading = true
    private(set) var session: Remote.Session?
    private(set) var published: [UInt64] = []
    private(set) var sequence: UInt64 = 0
    private var buffer: [UInt64] = []
    /// Published by the owner before; the socket is still to bring them.
    private var pending: PendingFrames?
    /// Sent by the remote, not read: lost with the socket, as far as this instance can know.
    private var unread: [UInt64] = []
    private var call: Call?
    /// The bus may still accept a call of this connection, even after it was closed.
    private(set) var isCallUnderWay = false
    private var isDialling = false
    private var isClosed = false

    init(process: Process, shard: Int, title: Title, record: LiveRecord, isShadow: Bool) {
        self.process = process
        self.shard = shard
        self.title = title
        name = record.name
        uid = record.uid
        self.isShadow = isShadow
    }

    private var world: World { process.world }
    var isDrained: Bool { buffer.isEmpty && call == nil }
    var waiting: Int { buffer.count + (call == nil ? 0 : 1) }

    // MARK: Socket

    /// Checked right before the connect, and again before the upgrade request.
    private var mayDial: Bool {
        guard !isClosed, session == nil, isReading else { return false }
        if isShadow { return process.member.lease.isValid(now: process.place.clock) }
        return process.mayAct(shard, title)
    }

    func dial() {
        guard mayDial, !isDialling else { return }
        isDialling = true
        process.later(world.random.time(20 * .millisecond, 200 * .millisecond)) { [weak self] _ in
            self?.dialled()
        }
    }

    private func dialled() {
        isDialling = false
        guard mayDial else { return }
        guard !world.random.chance(50) else {
            return process.later(500 * .millisecond) { [weak self] _ in self?.dial() }
        }
        session = world.remotes[name]?.open(self, process)
        if isShadow { process.reportShadow(shard, title, isLate: false) }
    }

    func received(_ content: UInt64, on session: Remote.Session) {
        guard session === self.session, !isClosed else { return }
        guard isReading else { return unread.append(content) }
        read(content)
    }

    private func read(_ content: UInt64) {
        process.framesRead += 1
        guard pending?.takes(content) != true else { return process.framesCounted += 1 }
        pending = nil
        buffer.append(content)
        if isShadow { process.reportShadow(shard, title, isLate: false) }
        pump()
    }

    /// An heir with fewer frames could not find its place among what the owner published.
    var hasEnoughToMatch: Bool { session != nil && buffer.count > DigestMatch.fewestFrames }

    func dropped(_ session: Remote.Session) {
        guard session === self.session, !isClosed else { return }
        self.session = nil
        unread = []
        pending = nil
        if isShadow {
            // What the remote sent between two sockets is missing: the place is looked for anew.
            process.framesCounted += buffer.count
            buffer = []
        } else {
            process.handle(.socketDropped(shard: shard, title: title))
        }
        process.later(300 * .millisecond) { [weak self] _ in self?.dial() }
    }

    func hangUp() {
        session?.isOpen = false
        session = nil
        unread = []
        pending = nil
    }

    func readAgain() {
        isReading = true
        let waiting = unread
        unread = []
        for content in waiting { read(content) }
        pump()
        dial()
    }

    func close() {
        guard !isClosed else { return }
        hangUp()
        isClosed = true
        process.framesCounted += waiting
        buffer = []
        call = nil
    }

    /// The process ended: no fate is counted any more.
    func vanish() {
        session?.isOpen = false
        session = nil
        isClosed = true
    }

    // MARK: Hand-over

    /// The shard came: what the old owner published is dropped from the buffer.
    func becomeEffective(_ title: Title, _ digests: ConnectionDigests?) {
        self.title = title
        isShadow = false
        if let digests, digests.uid == uid {
            let match = DigestMatch(published: digests.frames, buffered: buffer)
            process.framesCounted += match.dropped
            buffer.removeFirst(match.dropped)
            published = digests.frames
            if session != nil { pending = PendingFrames(match) }
            world.saw("match \(match.label)")
            if case .exact = match, let next = buffer.first, let last = digests.frames.last,
                world.remotes[name]?.kind == .shared, next != last + 1
            {
                world.broken(10, "\(name): an exact match goes on with \(next) after \(last)")
            }
        }
        pump()
        dial()
    }

    // MARK: Publishing

    func pump() {
        guard !isShadow, !isClosed else { return }
        if call == nil {
            guard !buffer.isEmpty, process.mayAct(shard, title) else { return }
            sequence += 1
            call = Call(content: buffer.removeFirst(), sequence: sequence)
        }
        attempt()
    }

    /// Checks as the last thing before the request is written, each time.
    private func attempt() {
        guard var call, !call.isUnderWay, process.mayAct(shard, title) else { return }
        call.attempt += 1
        call.isUnderWay = true
        isCallUnderWay = true
        self.call = call
        let isPausing =
            !world.isHealed
            && world.random.chance(world.configuration.pauseAtPublishPermille)
        guard isPausing else { return request(call.attempt, isExcused: process.isExcused) }
        process.pause(world.random.time(3 * .second, 40 * .second))
        let attempt = call.attempt
        // This one request is written when the process wakes: nothing checks any more.
        process.later(0) { [weak self] _ in self?.request(attempt, isExcused: true) }
    }

    private func request(_ attempt: Int, isExcused: Bool) {
        guard let call, call.attempt == attempt else {
            isCallUnderWay = false
            return
        }
        let timing = process.member.configuration.timing
        let longest = process.place.real(timing.publish)
        let isBounded = world.configuration.rules.publishCallsAreBounded
        var delay = world.random.time(2 * .millisecond, min(60 * .millisecond, longest))
        if world.random.chance(world.configuration.slowPublishPermille), !world.isHealed {
            delay = world.random.time(0, isBounded ? longest : longest * 10)
        }
        let isLost = isBounded && !world.isHealed && world.random.chance(10)
        let isAnswerLost = isBounded && !world.isHealed && world.random.chance(10)
        let event = SimBus.Event(
            name: name, shard: shard, uid: uid, identity: title.identity, epoch: title.shardEpoch,
            sequence: call.sequence, content: call.content)
        if !isLost {
            world.after(delay) { [world] in
                world.bus.accept(event, isExcused: isExcused, world: world)
            }
        }
        let isGood = !isLost && !isAnswerLost
        process.later(isGood ? delay + .millisecond : longest) { [weak self] _ in
            self?.ended(attempt, isGood: isGood)
        }
    }

    private func ended(_ attempt: Int, isGood: Bool) {
        isCallUnderWay = false
        guard !isClosed, let call, call.attempt == attempt else {
            return process.checkDrained(shard)
        }
        guard isGood else {
            self.call?.isUnderWay = false
            return process.later(50 * .millisecond) { [weak self] _ in self?.pump() }
        }
        process.framesPublished += 1
        published.append(call.content)
        if published.count > ConnectionDigests.longest { published.removeFirst() }
        self.call = nil
        process.checkDrained(shard)
        pump()
    }
}

extension DigestMatch {
    var label: String {
        switch self {
        case .exact: "exact"
        case .behind: "behind"
        case .ambiguous: "ambiguous"
        case .none: "none"
        }
    }
}

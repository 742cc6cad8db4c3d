/// One instance's part in the cluster: membership, lease, shards, hand-over and forwarding.
///
/// Pure: facts go in through ``handle``, with the time they are handled at, and what to do comes
/// out as values. The shell owns store, peers, sockets and clocks; it calls from one place at a
/// time, carries out the actions in order, and asks ``mayAct`` at the place of every effect.
///
/// A call of the store is answered exactly once, at the latest after the store deadline. Ticks come
/// every ``ClusterTiming/tick``; all that waits for time is looked at then.
package struct ClusterMember: Sendable {
    /// Where this instance stands.
    package enum Standing: Sendable, Hashable {
        /// `wsm/meta` has not been read yet. Can transition to: `outside`, `gone`.
        case starting
        /// No slot. Can transition to: `joining`, `gone`.
        case outside
        /// A write of a slot is under way. Can transition to: `member`, `outside`, `gone`.
        case joining
        /// Can transition to: `leaving`, `outside` (deposed), `gone`.
        case member(Identity)
        /// All shards are given away; the slot is being freed. Can transition to: `gone`, `outside`.
        case leaving(Identity)
        /// For good.
        case gone
    }

    package let configuration: ClusterConfiguration
    package internal(set) var standing = Standing.starting
    package internal(set) var lease: Lease
    package internal(set) var roster: Roster
    package internal(set) var seats: [Seat] = []
    package internal(set) var isDraining = false
    package internal(set) var isCordoned = false

    var book: CallBook
    var random: any RandomNumberGenerator & Sendable
    var now = Moment.distantPast
    var wall = Duration.zero

    var metaWriter = KeyWriter(key: .meta)
    package internal(set) var clusterID: Incarnation?
    var slotWriter: KeyWriter?
    var joinTries = 0
    var avoidedSlots: [Int: Moment] = [:]
    var memberSince = Moment.distantPast
    var actNotBefore = Moment.distantPast
    var nextJoin = Moment.distantPast
    /// Since when there is no membership.
    var outsideSince = Moment.distantPast
    /// Begin of the last roster read that showed `wsm/meta` of this cluster.
    var clusterSeenAt = Moment.distantPast
    var nextBeat = Moment.distantPast
    var lastTick: (now: Moment, wall: Duration)?
    var areSocketsClosed = false
    var burials: [Int: KeyWriter] = [:]
    var nextRosterPoll = Moment.distantPast
    var rosterCall: CallID?
    var nextOwnPoll = Moment.distantPast
    var nextScan = Moment.distantPast
    var isUnrestful = true
    var incoming: [Int: Incoming] = [:]
    var lastStop = 0
    var isRestart = false
    var drainBegan = Moment.distantPast
    var leavesAt = Moment.distantPast
    var forwards: [CallToken: Forward] = [:]
    var replyTo: [CallToken: String] = [:]

    /// - Parameter random: For incarnations, uids and jitter. It must not repeat between processes.
    package init(
        configuration: ClusterConfiguration, random: any RandomNumberGenerator & Sendable
    ) {
        var random = random
        self.configuration = configuration
        book = CallBook(author: Incarnation(high: random.next(), low: random.next()))
        self.random = random
        lease = Lease(length: configuration.timing.lease)
        roster = Roster(slots: configuration.slots)
    }

    var timing: ClusterTiming { configuration.timing }
    var rules: ProtocolRules { configuration.rules }

    /// The membership that holds or is leaving its slot.
    package var identity: Identity? {
        switch standing {
        case .member(let identity), .leaving(let identity): identity
        case .starting, .outside, .joining, .gone: nil
        }
    }

    /// Whether an effect for this shard is allowed at this very moment. To be evaluated at the
    /// place of the effect, as the last thing before it, and never handed on.
    package func mayAct(shard: Int, title: Title, now: Moment) -> Bool {
        guard seats.indices.contains(shard), let owned = seats[shard].owned else { return false }
        return owned.title == title && !owned.isFrozen && lease.isValid(now: now)
            && now >= actNotBefore
    }
}

/// What does not change while an instance runs.
package struct ClusterConfiguration: Sendable, Hashable {
    /// Names the place, and comes back after a restart.
    package var node: String
    /// Names machine, boot and data directory (device and inode of its lock file): two directories
    /// of one host have two locks, which say nothing about each other.
    package var hostID: String
    /// Where peers reach this instance.
    package var address: String
    package var weight: Int
    /// Since when this process holds the exclusive lock on its data directory; `nil` without one.
    package var lockedAt: Moment?
    package var timing: ClusterTiming
    /// Roster slots: the largest number of members.
    package var slots = 64
    /// Wanted number of shards; what `wsm/meta` says wins.
    package var shards = Shards.count
    package var namesPerPage = Shards.namesPerPage
    /// Hand-overs that one instance gives at a time, when it is not leaving.
    package var movesAtOnce = 8
    package var rules = ProtocolRules.all

    package init(
        node: String, hostID: String, address: String, weight: Int = 1,
        lockedAt: Moment? = nil, timing: ClusterTiming = .standard
    ) {
        self.node = node
        self.hostID = hostID
        self.address = address
        self.weight = weight
        self.lockedAt = lockedAt
        self.timing = timing
    }

    /// Between attempts of a write that is pending.
    package var pause: Duration { timing.tick }
}

// MARK: Inputs

extension ClusterMember {
    /// Takes one fact.
    /// - Parameters:
    ///   - now: Of the clock that counts suspend; never less than before.
    ///   - wall: Unix time. It makes epochs large, and its jumps take rights away; it grants none.
    /// - Returns: What to do, in this order.
    package mutating func handle(
        _ input: ClusterInput, now: Moment, wall: Duration
    ) -> [ClusterAction] {
        guard standing != .gone else { return [] }
        self.now = now
        self.wall = wall
        if lease.expire(now: now) { fenced() }
        switch input {
        case .tick(let loopsLive): tick(loopsLive: loopsLive)
        case .writeEnded(let call): writeEnded(call)
        case .readEnded(let call, let items): readEnded(call, items)
        case .received(let message): received(message)
        case .shadowReady(let shard, let from): shadowBecameReady(shard, from)
        case .drained(let shard, let title, let stop, let digests):
            drained(shard, title, stop, digests)
        case .digests(let shard, let title, let digests): digestsCollected(shard, title, digests)
        case .socketDropped(let shard, let title): socketDropped(shard, title)
        case .called(let token, let change): called(token, change)
        case .drain(let isRestart): beginDrain(isRestart: isRestart)
        case .drainCalledOff: callOffDrain()
        case .cordon(let isWanted): cordon(isWanted)
        }
        defer { book.actions.removeAll(keepingCapacity: true) }
        return book.actions
    }

    func epochFloor() -> UInt64 {
        UInt64(max(0, wall.components.seconds))
    }

    mutating func act(_ action: ClusterAction) { book.actions.append(action) }
    mutating func count(_ counted: ClusterAction.Counted) { act(.count(counted)) }

    private mutating func tick(loopsLive: Bool) {
        noticePauses()
        closeLongFenced()
        switch standing {
        case .starting: readMeta()
        case .outside: joinIfPossible(loopsLive: loopsLive)
        case .joining: retryJoin()
        case .member: beatIfDue(loopsLive: loopsLive)
        case .leaving: writeLeaving()
        case .gone: return
        }
        guard clusterID != nil else { return }
        pollRoster()
        pollHeaders()
        for shard in seats.indices where seats[shard].mayHaveWork { drive(shard) }
        watchIncoming()
        watchForwards()
        driveDrain()
    }

    private mutating func noticePauses() {
        defer { lastTick = (now, wall) }
        guard rules.leaseClockCountsSuspend, let last = lastTick else { return }
        let passed = now - last.now
        let drift = (wall - last.wall) - passed
        let isLate = passed > timing.tick + timing.slack
        guard isLate || drift > timing.slack / 2 || drift < .zero - timing.slack / 2 else {
            return
        }
        count(.woke)
        if lease.distrust(now: now) { fenced() }
    }

    private mutating func writeEnded(_ call: CallID) {
        guard let purpose = book.close(call) else { return }
        switch purpose {
        case .meta: _ = metaWriter.wrote(call, purpose: purpose, book: &book)
        case .mySlot: _ = slotWriter?.wrote(call, purpose: purpose, book: &book)
        case .burial(let slot): _ = burials[slot]?.wrote(call, purpose: purpose, book: &book)
        case .header(let shard):
            _ = seats[shard].writer.wrote(call, purpose: purpose, book: &book)
        case .page(let shard, let title, let page):
            withRecords(shard, title) { $0.pageWrote(call, page: page, book: &$1) }
        case .record(let shard, let title, let name):
            withRecords(shard, title) { $0.recordWrote(call, name: name, book: &$1) }
        case .roster, .scan, .ownHeaders, .heirSlot, .pages, .records: break
        }
    }

    private mutating func readEnded(_ call: CallID, _ items: [(ClusterKey, ReadItem)]) {
        guard let purpose = book.close(call) else { return }
        let item = items.first?.1 ?? .failed
        switch purpose {
        case .meta: metaRead(call, item)
        case .mySlot: slotReadBack(call, item)
        case .burial(let slot): burialReadBack(call, slot: slot, item)
        case .roster(let began): rosterRead(call, items, began: began)
        case .scan(let began, let isWhole): scanned(items, began: began, isWhole: isWhole)
        case .ownHeaders(let began, let confirms):
            ownHeadersRead(items, began: began, confirms: confirms)
        case .header(let shard): headerReadBack(call, shard: shard, item)
        case .heirSlot(let shard, let title): heirSlotRead(shard, title, item)
        case .pages(let shard, let title), .records(let shard, let title):
            withRecords(shard, title) { records, _ in records.bulkRead(call, items) }
            drive(shard)
        case .page(let shard, let title, let page):
            let now = now
            withRecords(shard, title) { records, _ in
                records.pageReadBack(call, page: page, item, now: now)
            }
            drive(shard)
        case .record(let shard, let title, let name):
            let now = now
            withRecords(shard, title) { records, _ in
                records.recordReadBack(call, name: name, item, now: now)
            }
            drive(shard)
        }
    }
}

// Start, roster, joining, burying and leaving.
extension ClusterMember {
    // MARK: Start

    mutating func readMeta() {
        guard metaWriter.isIdle else { return }
        if !metaWriter.isRead {
            metaWriter.read(purpose: .meta, book: &book)
        } else if metaWriter.known == nil, metaWriter.isReady(now: now) {
            let meta = ClusterMeta(
                nonce: book.nonce(),
                clusterID: Incarnation(high: random.next(), low: random.next()),
                shards: configuration.shards)
            metaWriter.write(.meta(meta), purpose: .meta, book: &book, now: now)
        }
    }

    /// Whatever was to be written: what is there counts.
    mutating func metaRead(_ call: CallID, _ item: ReadItem) {
        _ = metaWriter.readBack(
            call, item, now: now, pause: configuration.pause, rules: rules)
        guard case .starting = standing, case .meta(let meta)? = metaWriter.known?.value else {
            return
        }
        clusterID = meta.clusterID
        seats = (0..<meta.shards).map { Seat(shard: $0) }
        standing = .outside
        nextJoin = now
    }

    // MARK: Roster

    mutating func pollRoster() {
        guard now >= nextRosterPoll, rosterCall == nil else { return }
        nextRosterPoll = now + timing.poll
        let keys = [.meta] + roster.sights.indices.map { ClusterKey.slot($0) }
        rosterCall = book.read(keys, purpose: .roster(began: now))
    }

    mutating func rosterRead(
        _ call: CallID, _ items: [(ClusterKey, ReadItem)], began: Moment
    ) {
        if rosterCall == call { rosterCall = nil }
        let changed = roster.changedAt
        for (key, item) in items {
            switch key {
            case .meta:
                guard isSameCluster(item) else { return storeLost() }
                if item != .failed { clusterSeenAt = began }
            case .slot(let slot):
                if roster.observe(slot: slot, item, began: began, now: now, timing: timing) {
                    count(.storeWentBack)
                }
            default: break
            }
        }
        if roster.changedAt != changed { nextScan = min(nextScan, now) }
        if isMySlotSomebodyElses(in: items, began: began) { return depose() }
        for slot in roster.overdue(now: now, timing: timing) { bury(slot) }
    }

    private func isSameCluster(_ item: ReadItem) -> Bool {
        switch item {
        case .failed: true
        case .absent: false
        case .found(let stored):
            if case .meta(let meta) = stored.value { meta.clusterID == clusterID } else { false }
        }
    }

    private mutating func storeLost() {
        endMembership(.deposed)
        standing = .gone
        act(.exit(.storeLost))
    }

    /// Only a slot that this poll could read says so: the last sight may be older than the join.
    private func isMySlotSomebodyElses(
        in items: [(ClusterKey, ReadItem)], began: Moment
    ) -> Bool {
        guard case .member(let identity) = standing, began > memberSince,
            let item = items.first(where: { $0.0 == .slot(identity.slot) })?.1, item != .failed
        else { return false }
        return roster.sights[identity.slot].slot?.identity != identity
    }

    private mutating func bury(_ index: Int) {
        guard index != identity?.slot, burials[index] == nil,
            let stored = roster.sights[index].stored, let slot = roster.sights[index].slot
        else { return }
        var dead = slot
        dead.nonce = book.nonce()
        dead.state = .dead
        dead.identity.slotEpoch += 1
        var writer = KeyWriter(key: .slot(index))
        writer.observe(.found(stored))
        writer.write(.slot(dead), purpose: .burial(slot: index), book: &book, now: now)
        burials[index] = writer
    }

    /// A burial that is pending is given up: the next poll shows whether it is still wanted.
    mutating func burialReadBack(_ call: CallID, slot index: Int, _ item: ReadItem) {
        let former = roster.sights[index].slot?.identity
        guard var writer = burials.removeValue(forKey: index) else { return }
        let outcome = writer.readBack(
            call, item, now: now, pause: configuration.pause, rules: rules)
        guard case .applied(let began)? = outcome else { return }
        if let former { count(.buried(former)) }
        _ = roster.observe(slot: index, item, began: began, now: now, timing: timing)
        nextScan = min(nextScan, now)
    }

    // MARK: Joining

    /// Needs a look at the roster that began after the last membership ended: a store that was
    /// emptied must not be filled again by a process that still runs.
    mutating func joinIfPossible(loopsLive: Bool) {
        guard now >= nextJoin, roster.isComplete, clusterSeenAt > outsideSince, loopsLive,
            !isDraining
        else {
            if isDraining {
                standing = .gone
                act(.exit(.left))
            }
            return
        }
        guard let slot = slotToJoin() else {
            count(.noFreeSlot)
            nextJoin = now + jitter(timing.suspicion, &random)
            return
        }
        var writer = KeyWriter(key: .slot(slot))
        writer.observe(roster.sights[slot].stored.map { .found($0) } ?? .absent)
        slotWriter = writer
        joinTries = 0
        standing = .joining
        retryJoin()
    }

    /// The own old slot, then free ones, then dead ones, then absent ones, from a place that differs
    /// by node on.
    private func slotToJoin() -> Int? {
        let count = roster.sights.count
        let start = configuration.node.utf8.reduce(7) { ($0 * 31 + Int($1)) % max(1, count) }
        let order = (0..<count).map { ($0 + start) % count }
            .filter { (avoidedSlots[$0] ?? .distantPast) <= now }
        func first(_ matches: (Roster.Sight) -> Bool) -> Int? {
            order.first { matches(roster.sights[$0]) }
        }
        return first { isMyOldSlot($0.slot) } ?? first { $0.slot?.state == .free }
            ?? first { $0.slot?.state == .dead } ?? first { $0.slot == nil }
    }

    private func isMyOldSlot(_ slot: RosterSlot?) -> Bool {
        guard let slot, slot.node == configuration.node else { return false }
        if slot.state == .away { return true }
        return slot.isHeld && slot.isLocked && slot.hostID == configuration.hostID
            && configuration.lockedAt != nil
    }

    /// Every attempt draws a new incarnation: one that lands late must be nobody.
    mutating func retryJoin() {
        guard let writer = slotWriter, writer.isReady(now: now), case .slot(let index) = writer.key
        else { return }
        joinTries += 1
        if joinTries > 3 {
            avoidedSlots[index] = now + timing.suspicion * 3
            slotWriter = nil
            standing = .outside
            return
        }
        let epoch = (slotInWriter?.identity.slotEpoch ?? 0) + 1
        let identity = Identity(
            slot: index, slotEpoch: epoch,
            incarnation: Incarnation(high: random.next(), low: random.next()))
        let value = slotValue(.alive, identity)
        writeSlot(value)
    }

    mutating func joinEnded(_ outcome: KeyWriter.Outcome) {
        switch outcome {
        case .pending, .unknown: break
        case .conflict:
            slotWriter = nil
            standing = .outside
            nextRosterPoll = now
            nextJoin = now + jitter(timing.tick * 2, &random)
        case .applied(let began):
            guard let slot = slotInWriter else { return }
            standing = .member(slot.identity)
            memberSince = now
            nextBeat = began + timing.heartbeat
            let former = roster.sights[slot.identity.slot].slot
            // The predecessor's last publish call may still be under way.
            if former?.isHeld == true, let lockedAt = configuration.lockedAt {
                actNotBefore = lockedAt + timing.publish
            }
            lease.joined(began: began)
            count(.joined(slot.identity))
            act(.actUntil(lease.validUntil))
            nextScan = now
            nextRosterPoll = now
        }
    }

    // MARK: Leaving

    mutating func writeLeaving() {
        guard case .leaving(let identity) = standing else { return }
        if now - drainBegan > timing.drain + timing.suspicion {
            endMembership(.released)
            standing = .gone
            return act(.exit(.left))
        }
        // From then on others may take what this identity holds.
        guard now >= leavesAt, slotWriter?.isReady(now: now) == true else { return }
        var next = identity
        next.slotEpoch += 1
        let value = slotValue(isRestart ? .away : .free, next)
        writeSlot(value)
    }
}

// Heartbeats and the fence.
extension ClusterMember {
    mutating func fenced() {
        count(.fenced)
        act(.actUntil(nil))
    }

    mutating func closeLongFenced() {
        guard let since = lease.fencedSince, !areSocketsClosed,
            now - since >= timing.closeAfterFenced
        else { return }
        areSocketsClosed = true
        act(.closeSockets)
    }

    /// A heartbeat is written only while the parts of the process that it vouches for move.
    mutating func beatIfDue(loopsLive: Bool) {
        guard case .member(let identity) = standing, loopsLive, now >= nextBeat,
            slotWriter?.isReady(now: now) == true
        else { return }
        nextBeat = now + timing.heartbeat
        writeSlot(slotValue(isDraining ? .draining : .alive, identity))
    }

    mutating func writeSlot(_ value: RosterSlot) {
        let now = now
        slotWriter?.write(.slot(value), purpose: .mySlot, book: &book, now: now)
    }

    mutating func slotValue(_ state: RosterSlot.State, _ identity: Identity) -> RosterSlot {
        var slot = RosterSlot(
            nonce: book.nonce(), state: state, identity: identity, node: configuration.node,
            hostID: configuration.hostID, isLocked: configuration.lockedAt != nil,
            address: configuration.address,
            weight: configuration.weight, hold: timing.hold)
        slot.isCordoned = isCordoned
        return slot
    }

    /// The next heartbeat says so.
    mutating func cordon(_ isWanted: Bool) {
        guard isCordoned != isWanted else { return }
        isCordoned = isWanted
        nextBeat = now
        nextScan = now
    }

    mutating func slotReadBack(_ call: CallID, _ item: ReadItem) {
        guard var writer = slotWriter,
            let outcome = writer.readBack(
                call, item, now: now, pause: configuration.pause, rules: rules)
        else { return }
        slotWriter = writer
        switch standing {
        case .joining: joinEnded(outcome)
        case .member(let identity), .leaving(let identity): beatEnded(outcome, identity)
        case .starting, .outside, .gone: break
        }
    }

    private mutating func beatEnded(_ outcome: KeyWriter.Outcome, _ identity: Identity) {
        switch outcome {
        case .pending, .unknown:
            nextBeat = now
        case .applied(let began):
            guard slotInWriter?.identity == identity else { return left() }
            if lease.beat(began: began) { confirm(identity) } else { publishLease() }
        case .conflict:
            guard slotInWriter?.identity == identity, slotInWriter?.isHeld == true else {
                return depose()
            }
            // My own identity with a nonce that is not of my attempts: the store shows the past.
            count(.storeWentBack)
            nextBeat = now
        }
    }

    var slotInWriter: RosterSlot? {
        if case .slot(let slot)? = slotWriter?.known?.value { slot } else { nil }
    }

    private mutating func publishLease() { act(.actUntil(lease.validUntil)) }

    /// Reads the own headers before acting again.
    private mutating func confirm(_ identity: Identity) {
        let keys = ownedKeys
        guard !keys.isEmpty else { return confirmed() }
        _ = book.read(keys, purpose: .ownHeaders(began: now, confirms: identity))
    }

    mutating func confirmed() {
        lease.confirmed(now: now)
        guard lease.isValid(now: now) else { return }
        count(.unfenced)
        publishLease()
        if areSocketsClosed {
            areSocketsClosed = false
            act(.redial)
        }
    }

    var ownedKeys: [ClusterKey] {
        seats.indices.filter { seats[$0].owned != nil }.map { .header($0) }
    }

    /// The slot is somebody else's, or nobody's: nothing is carried over.
    ///
    /// To join the own old slot is to say that its last holder is dead, and others take over at
    /// once: not before the last publish call of that holder has ended.
    mutating func depose() {
        count(.deposed)
        endMembership(.deposed)
        standing = .outside
        outsideSince = now
        nextJoin = now + timing.publish
        nextRosterPoll = now
    }

    func jitter(_ duration: Duration, _ random: inout any RandomNumberGenerator & Sendable)
        -> Duration
    {
        duration * Int(random.next() % 400 + 800) / 1000
    }

    private mutating func left() {
        endMembership(.released)
        standing = .gone
        act(.exit(.left))
    }

    mutating func endMembership(_ cause: ClusterAction.DropCause) {
        lease.ended()
        act(.actUntil(nil))
        for shard in seats.indices {
            if seats[shard].owned != nil { drop(shard, cause) }
            seats[shard].writer.abandon()
            seats[shard].unownedSince = nil
        }
        for (shard, shadow) in incoming.sorted(by: { $0.key < $1.key }) {
            act(.dropShadow(shard: shard, from: shadow.from))
        }
        incoming.removeAll()
        slotWriter = nil
        areSocketsClosed = false
        isUnrestful = true
    }
}

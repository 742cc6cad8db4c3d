// Giving a shard away: hand-over, release, drain.
extension ClusterMember {
    mutating func beginHandOver(_ shard: Int, to candidates: [RosterSlot], isDrain: Bool) {
        let outgoing = Outgoing(
            step: .asking, heir: nil, candidates: Array(candidates.prefix(3)), deadline: now,
            isDrain: isDrain)
        seats[shard].owned?.outgoing = outgoing
        count(.handOverBegan(shard: shard))
        askNext(shard)
    }

    private mutating func enter(_ step: Outgoing.Step, _ shard: Int, within limit: Duration) {
        let deadline = now + limit
        seats[shard].owned?.outgoing?.step = step
        seats[shard].owned?.outgoing?.deadline = deadline
    }

    private mutating func askNext(_ shard: Int) {
        guard let owned = seats[shard].owned, var outgoing = owned.outgoing else { return }
        guard !outgoing.candidates.isEmpty else { return abandonHandOver(shard) }
        let heir = outgoing.candidates.removeFirst()
        outgoing.heir = heir
        outgoing.deadline = now + timing.heartbeat
        seats[shard].owned?.outgoing = outgoing
        let ask = HandOverAsk(
            shard: shard, title: owned.title, address: configuration.address,
            isDrain: outgoing.isDrain, records: owned.records.live)
        act(.send(.ask(ask), to: heir.address))
    }

    /// Before anything was written: nothing was given away.
    mutating func abandonHandOver(_ shard: Int) {
        guard let owned = seats[shard].owned, let outgoing = owned.outgoing else { return }
        seats[shard].owned?.outgoing = nil
        seats[shard].owned?.isFrozen = false
        seats[shard].restsUntil = now + timing.scan
        seats[shard].drainsAt = now + timing.heartbeat
        count(.handOverAbandoned(shard: shard))
        if let heir = outgoing.heir {
            act(
                .send(
                    .handOverEnded(shard: shard, title: owned.title, isDone: false),
                    to: heir.address))
        }
        if outgoing.step != .asking && outgoing.step != .shadowing {
            act(.resume(shard: shard, title: owned.title))
        }
    }

    mutating func beginRelease(_ shard: Int) {
        guard let owned = seats[shard].owned else { return }
        if let heir = owned.outgoing?.heir {
            act(
                .send(
                    .handOverEnded(shard: shard, title: owned.title, isDone: false),
                    to: heir.address))
        }
        let outgoing = Outgoing(
            step: .draining, heir: nil, candidates: [], deadline: now + timing.lease,
            isDrain: true)
        seats[shard].owned?.outgoing = outgoing
        stopReading(shard, owned.title)
    }

    /// What is opened afterwards is not waited for by the answer: this is asked once more then.
    mutating func stopReading(_ shard: Int, _ title: Title) {
        lastStop += 1
        seats[shard].owned?.outgoing?.stop = lastStop
        seats[shard].owned?.outgoing?.isDrained = false
        act(.stopReading(shard: shard, title: title, stop: lastStop))
    }

    /// Whether this answer belongs to the hand-over under way, at that step.
    private func awaits(
        _ shard: Int, _ title: Title, from heir: Identity? = nil, _ step: Outgoing.Step
    ) -> Bool {
        guard seats.indices.contains(shard), let owned = seats[shard].owned,
            let outgoing = owned.outgoing
        else { return false }
        return owned.title == title && outgoing.step == step
            && (heir == nil || outgoing.heir?.identity == heir)
    }

    mutating func heirAnswered(_ shard: Int, _ title: Title, by heir: Identity, isYes: Bool) {
        guard awaits(shard, title, from: heir, .asking) else { return }
        guard isYes else { return askNext(shard) }
        enter(.shadowing, shard, within: timing.shadow)
    }

    mutating func heirIsReady(_ shard: Int, _ title: Title, by heir: Identity) {
        // Its answer may come later than this, or not at all.
        let isAwaited =
            awaits(shard, title, from: heir, .shadowing)
            || awaits(shard, title, from: heir, .asking)
        if isAwaited { stop(shard, title) }
    }

    /// A remote that bears one session only would make both sides kick each other for ever.
    mutating func socketDropped(_ shard: Int, _ title: Title) {
        guard awaits(shard, title, .shadowing) else { return }
        stop(shard, title)
    }

    private mutating func stop(_ shard: Int, _ title: Title) {
        guard rules.ownerFreezesBeforeCutOver else {
            enter(.acknowledging, shard, within: timing.heartbeat)
            return act(.collectDigests(shard: shard, title: title))
        }
        enter(.draining, shard, within: timing.lease)
        stopReading(shard, title)
    }

    mutating func drained(
        _ shard: Int, _ title: Title, _ stop: Int, _ digests: [ConnectionDigests]
    ) {
        guard awaits(shard, title, .draining), seats[shard].owned?.outgoing?.stop == stop
        else { return }
        seats[shard].owned?.outgoing?.isDrained = true
        seats[shard].owned?.outgoing?.digests = digests
        drive(shard)
    }

    mutating func digestsCollected(_ shard: Int, _ title: Title, _ digests: [ConnectionDigests]) {
        guard let heir = seats[shard].owned?.outgoing?.heir else { return }
        let isFinal = awaits(shard, title, .acknowledging)
        guard isFinal || awaits(shard, title, .shadowing) else { return }
        act(
            .send(
                .digests(shard: shard, title: title, isFinal: isFinal, digests),
                to: heir.address))
    }

    /// The heir holds the digests: its slot is read once more, after the freeze.
    mutating func acknowledged(_ shard: Int, _ title: Title, by heir: Identity) {
        guard awaits(shard, title, from: heir, .acknowledging) else { return }
        enter(.checking, shard, within: timing.heartbeat)
        _ = book.read([.slot(heir.slot)], purpose: .heirSlot(shard: shard, title: title))
    }

    mutating func heirSlotRead(_ shard: Int, _ title: Title, _ item: ReadItem) {
        guard awaits(shard, title, .checking) else { return }
        guard case .found(let stored) = item, case .slot(let slot) = stored.value,
            slot.state == .alive, slot.identity == seats[shard].owned?.outgoing?.heir?.identity
        else { return abandonHandOver(shard) }
        cut(shard)
    }

    private mutating func cut(_ shard: Int) {
        enter(.cutting, shard, within: timing.lease)
        drive(shard)
    }

    /// The header that gives the shard away.
    mutating func cutOver(_ shard: Int, _ owned: Owned, _ known: ShardHeader) -> ShardHeader {
        let heir = owned.outgoing?.heir
        let origin = ShardHeader.Origin(
            owner: owned.title.identity, shardEpoch: owned.title.shardEpoch,
            how: heir == nil ? .release : .handover)
        let isClean = known.isClean && owned.records.isQuiet
        var header = newHeader(
            shard, from: known, owner: heir?.identity, isClean: isClean, origin)
        if let heir { header.node = heir.node } else { header.shardEpoch = known.shardEpoch }
        return header
    }

    /// Looks at deadlines, and at what a step was waiting for.
    mutating func driveHandOver(_ shard: Int) {
        guard let owned = seats[shard].owned, let outgoing = owned.outgoing else { return }
        let isLate = now >= outgoing.deadline
        switch outgoing.step {
        case .asking:
            if isLate { askNext(shard) }
        case .shadowing:
            if isLate { return abandonHandOver(shard) }
            guard now >= outgoing.nextDigests else { return }
            let next = now + timing.slack
            seats[shard].owned?.outgoing?.nextDigests = next
            act(.collectDigests(shard: shard, title: owned.title))
        case .draining:
            driveDraining(shard, owned, outgoing, isLate: isLate)
        case .checking where outgoing.heir == nil:
            if isLate { cut(shard) }
        case .acknowledging, .checking:
            if isLate { abandonHandOver(shard) }
        case .cutting:
            // Only an applied write of the own title ends it, never time alone.
            if isLate, !outgoing.isDrain || outgoing.heir != nil {
                seats[shard].owned?.outgoing?.step = .bumping
            }
        case .bumping:
            break
        }
    }

    private mutating func driveDraining(
        _ shard: Int, _ owned: Owned, _ outgoing: Outgoing, isLate: Bool
    ) {
        let isRelease = outgoing.heir == nil
        let isDone = outgoing.isDrained && owned.records.isQuiet && seats[shard].writer.isQuiet
        guard isDone || isLate else { return }
        if isRelease {
            guard lease.isValid(now: now), seats[shard].writer.isIdle else { return }
            seats[shard].owned?.isFrozen = true
            act(.hangUp(shard: shard, title: owned.title))
            // The next owner may begin at once, so a publish call under way has to end first.
            return enter(.checking, shard, within: outgoing.isDrained ? .zero : timing.publish)
        }
        guard isDone, lease.isValid(now: now) else { return abandonHandOver(shard) }
        seats[shard].owned?.isFrozen = true
        enter(.acknowledging, shard, within: timing.heartbeat)
        digestsCollected(shard, owned.title, outgoing.digests)
    }

    /// A write of the header of a shard that is held has been decided.
    mutating func ownHeaderWritten(_ shard: Int, _ outcome: KeyWriter.Outcome) {
        guard let owned = seats[shard].owned, outcome != .pending, outcome != .unknown else {
            return
        }
        let header = seats[shard].header
        guard isMine(header, owned.title) else {
            if case .applied = outcome {
                let isRelease = owned.outgoing?.heir == nil
                drop(shard, isRelease ? .released : .handedOver)
            } else {
                let stored = seats[shard].writer.known
                drop(shard, .foreignTitle)
                seats[shard].writer.observe(stored.map { .found($0) } ?? .absent)
                evaluate(shard)
            }
            return
        }
        guard let step = owned.outgoing?.step else { return }
        // The header has moved and is mine: a cut-over that was under way cannot land any more.
        let isCalledOff = step == .bumping || (step == .cutting && outcome == .conflict)
        if isCalledOff { abandonHandOver(shard) }
    }

    // MARK: Drain

    mutating func beginDrain(isRestart: Bool) {
        guard !isDraining else { return }
        isDraining = true
        self.isRestart = isRestart
        drainBegan = now
        nextBeat = now
        switch standing {
        case .starting, .outside:
            standing = .gone
            act(.exit(.left))
        case .joining, .member, .leaving, .gone: break
        }
    }

    mutating func callOffDrain() {
        guard isDraining, case .member = standing else { return }
        isDraining = false
        nextBeat = now
        for shard in seats.indices {
            guard let outgoing = seats[shard].owned?.outgoing, outgoing.isDrain else { continue }
            if outgoing.step == .cutting {
                seats[shard].owned?.outgoing?.step = .bumping
            } else if outgoing.step != .bumping {
                abandonHandOver(shard)
            }
        }
    }

    mutating func driveDrain() {
        guard isDraining, case .member(let identity) = standing else { return }
        let held = seats.indices.filter { seats[$0].owned != nil }
        if held.isEmpty || now - drainBegan > timing.drain + timing.lease {
            // What is still held by then was neither taken nor released in time: it is left to
            // the suspicion of the others.
            for shard in held { drop(shard, .deposed) }
            lease.ended()
            act(.actUntil(nil))
            leavesAt = held.isEmpty ? now : now + timing.publish
            standing = .leaving(identity)
            return writeLeaving()
        }
        let isOver = isRestart || now - drainBegan >= timing.drain
        for shard in held {
            guard let owned = seats[shard].owned else { continue }
            if let outgoing = owned.outgoing {
                let isEarly = outgoing.step == .asking || outgoing.step == .shadowing
                if isOver && isEarly && outgoing.heir != nil { beginRelease(shard) }
                continue
            }
            let heirs = isOver ? [] : heirs(of: shard)
            if heirs.isEmpty {
                beginRelease(shard)
            } else if owned.records.isReady && now >= seats[shard].drainsAt {
                beginHandOver(shard, to: heirs, isDrain: true)
            }
        }
    }

    /// Living members that are not leaving, the emptiest first.
    private func heirs(of shard: Int) -> [RosterSlot] {
        let placement = Placement(
            nodes: roster.nodes(now: now, timing: timing), shards: seats.count)
        let loads = loads(placement)
        let others = placement.nodes.indices.filter {
            !placement.nodes[$0].isAway && placement.nodes[$0].identity != identity
        }
        return others.sorted {
            let left = (
                loads[$0] - placement.share(of: $0), -placement.score(shard: shard, node: $0)
            )
            let right = (
                loads[$1] - placement.share(of: $1), -placement.score(shard: shard, node: $1)
            )
            return left < right
        }.compactMap { roster.holder(placement.nodes[$0].identity) }
    }
}

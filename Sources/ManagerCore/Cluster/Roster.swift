/// What one observer saw in the roster slots, and since when.
///
/// Suspicion is a private opinion: it only names slots whose takeover may be *written*, on
/// condition of the tag that was seen. Whether a holder is dead is said by the slot alone.
package struct Roster: Sendable {
    package enum Verdict: Sendable, Hashable {
        /// For good: an old reading that says so stays true.
        case dead
        case alive
        /// My reading is too old to tell, or the store went back.
        case unknown
    }

    package struct Sight: Sendable {
        package var stored: StoredValue?
        /// Has been read at least once.
        package var isRead = false
        /// Where the unbroken observation of this nonce began.
        package var unchangedSince = Moment.distantPast
        /// Since when the slot has shown this holder in this state, by this observer's clock.
        package var standsSince = Moment.distantPast
        /// Since when it has been `away`, by this observer's clock.
        package var awaySince: Moment?
        var lastRead = Moment.distantPast
        var highestEpoch: UInt64 = 0
        var highestSeenAt = Moment.distantPast

        package var slot: RosterSlot? {
            if case .slot(let slot)? = stored?.value { slot } else { nil }
        }
        package var slotEpoch: UInt64 { slot?.identity.slotEpoch ?? 0 }
    }

    package private(set) var sights: [Sight]
    /// When a holder or a state last changed.
    package private(set) var changedAt = Moment.distantPast
    /// Every slot has been read at least once.
    package var isComplete: Bool { sights.allSatisfy(\.isRead) }

    package init(slots: Int) {
        sights = Array(repeating: Sight(), count: slots)
    }

    /// Takes one slot of a poll that began at `began` and ended now.
    /// - Returns: True if the store went back: it shows less than it showed before.
    package mutating func observe(
        slot index: Int, _ item: ReadItem, began: Moment, now: Moment, timing: ClusterTiming
    ) -> Bool {
        guard item != .failed, sights.indices.contains(index) else { return false }
        var sight = sights[index]
        let before = sight.slot
        let isBroken = !sight.isRead || now - sight.lastRead > timing.longestReadGap
        let former = sight.stored
        if case .found(let stored) = item { sight.stored = stored } else { sight.stored = nil }
        if isBroken || former?.value.nonce != sight.stored?.value.nonce {
            sight.unchangedSince = now
        }
        sight.isRead = true
        sight.lastRead = now
        if sight.slot?.state == .away {
            if before?.state != .away || before?.identity != sight.slot?.identity || isBroken {
                sight.awaySince = now
            }
        } else {
            sight.awaySince = nil
        }
        if before?.state != sight.slot?.state || before?.identity != sight.slot?.identity {
            sight.standsSince = now
            changedAt = now
        }
        let wentBack = sight.slotEpoch < sight.highestEpoch && began > sight.highestSeenAt
        if sight.slotEpoch > sight.highestEpoch {
            sight.highestEpoch = sight.slotEpoch
            sight.highestSeenAt = now
        } else if wentBack {
            sight.highestEpoch = sight.slotEpoch
        }
        sights[index] = sight
        return wentBack
    }

    /// Whether the holder named by `identity` is out of its slot.
    package func verdict(on identity: Identity, rules: ProtocolRules) -> Verdict {
        guard sights.indices.contains(identity.slot) else { return .unknown }
        let sight = sights[identity.slot]
        guard sight.isRead else { return .unknown }
        guard rules.deathNeedsHigherSlotEpoch else {
            return sight.slot?.identity == identity && sight.slot?.isHeld == true ? .alive : .dead
        }
        if sight.slotEpoch > identity.slotEpoch { return .dead }
        return sight.slot?.identity == identity ? .alive : .unknown
    }

    /// Whether a slot was looked at after a moment.
    package func wasRead(_ slot: Int, since moment: Moment) -> Bool {
        sights.indices.contains(slot) && sights[slot].lastRead > moment
    }

    /// The slot of a living holder.
    package func holder(_ identity: Identity) -> RosterSlot? {
        guard sights.indices.contains(identity.slot), let slot = sights[identity.slot].slot,
            slot.identity == identity, slot.isHeld
        else { return nil }
        return slot
    }

    /// All slots in which a heart beats.
    package var holders: [RosterSlot] { sights.compactMap(\.slot).filter(\.isHeld) }

    /// Slots that may be written to `dead` now, by a compare-and-set from the tag that was seen.
    ///
    /// To be asked only right after a poll, so that every answer rests on a fresh look.
    package func overdue(now: Moment, timing: ClusterTiming) -> [Int] {
        sights.indices.filter { index in
            let sight = sights[index]
            guard let slot = sight.slot, sight.lastRead == now else { return false }
            switch slot.state {
            case .alive, .draining:
                let patience = max(timing.suspicion, slot.hold * 5 / 4)
                return now - sight.unchangedSince >= patience
            case .away:
                return sight.awaySince.map { now - $0 >= timing.awayGrace } ?? false
            case .free, .dead:
                return false
            }
        }
    }

    /// The nodes that placement counts.
    package func nodes(now: Moment, timing: ClusterTiming) -> [Placement.Node] {
        var nodes: [Placement.Node] = []
        for sight in sights {
            guard let slot = sight.slot else { continue }
            let isAway = slot.state == .away
            guard (slot.state == .alive && !slot.isCordoned) || isAway else { continue }
            if isAway, let since = sight.awaySince, now - since >= timing.awayGrace { continue }
            nodes.append(
                Placement.Node(
                    name: slot.node, weight: slot.weight, isAway: isAway,
                    identity: slot.identity))
        }
        return nodes
    }
}

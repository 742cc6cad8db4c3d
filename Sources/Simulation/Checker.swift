import ManagerCore

/// The invariants of docs/ownership.md, by number.
final class Checker {
    private var lastBeats: [Int: SimTime] = [:]
    private var slots: [Incarnation: Int] = [:]
    private(set) var lastMove: SimTime = 0
    private(set) var buried = 0
    /// Outside of the promise: a store that forgets.
    var isStoreTrusted = true
    /// Two owners are possible for a while after a store went back.
    var isSinglePublisherExpected = true

    // MARK: At every write

    func landed(_ flight: Flight, before: ClusterValue?, world: World) {
        switch flight.value {
        case .slot(let slot): slotLanded(flight, slot, before, world)
        case .header(let header):
            headerLanded(header, before, world)
            givenAway(flight, header, before, world)
        default: break
        }
    }

    private func slotLanded(
        _ flight: Flight, _ slot: RosterSlot, _ before: ClusterValue?, _ world: World
    ) {
        let old: RosterSlot? = if case .slot(let old)? = before { old } else { nil }
        let index = slot.identity.slot
        if isStoreTrusted, let old {
            let isSameHolder =
                old.identity.incarnation == slot.identity.incarnation
                && old.isHeld == slot.isHeld
            if slot.identity.slotEpoch < old.identity.slotEpoch
                || (!isSameHolder && slot.identity.slotEpoch == old.identity.slotEpoch)
            {
                world.broken(
                    1,
                    "slot \(index): \(old.identity) \(old.state) → \(slot.identity) \(slot.state)")
            }
        }
        if slot.isHeld {
            if let other = slots[slot.identity.incarnation], other != index {
                world.broken(6, "\(slot.identity.incarnation) is in slots \(other) and \(index)")
            }
            slots[slot.identity.incarnation] = index
            lastBeats[index] = world.now
        }
        if slot.state == .dead, let old, old.isHeld { buriedHolder(old, flight, world) }
    }

    private func buriedHolder(_ old: RosterSlot, _ flight: Flight, _ world: World) {
        buried += 1
        let timing = world.configuration.timing
        let suspicion = timing.suspicion * 1_000_000 / (1_000_000 + timing.driftPPM)
        let since = world.now - (lastBeats[old.identity.slot] ?? 0)
        if Duration.microseconds(since) < suspicion {
            world.broken(
                5,
                "n\(flight.author) buried \(old.identity), whose heart beat \(since / 1000) ms ago")
        }
    }

    private func headerLanded(_ header: ShardHeader, _ before: ClusterValue?, _ world: World) {
        guard case .header(let old)? = before else {
            lastMove = world.now
            return
        }
        if old.owner != header.owner { lastMove = world.now }
        guard isStoreTrusted else { return }
        let isRelease = header.owner == nil
        if header.shardEpoch < old.shardEpoch
            || (header.owner != old.owner && !isRelease && header.shardEpoch == old.shardEpoch)
        {
            world.broken(
                1,
                "header \(old.title.map(String.init(describing:)) ?? "nobody e\(old.shardEpoch)") → "
                    + "\(header.title.map(String.init(describing:)) ?? "nobody e\(header.shardEpoch)")"
            )
        }
    }

    /// Whoever gives a shard away has no publish call under way: the next owner may begin at once.
    private func givenAway(
        _ flight: Flight, _ header: ShardHeader, _ before: ClusterValue?, _ world: World
    ) {
        guard isStoreTrusted, case .header(let old)? = before, let title = old.title,
            header.owner != old.owner, case .header(let shard) = flight.key,
            let process = world.places[flight.author].process,
            let served = process.served[shard], served.title == title
        else { return }
        let links = served.sorted + served.ending
        if let link = links.first(where: \.isCallUnderWay) {
            world.broken(
                9, "\(process) gave shard \(shard) away while \(link.name) was publishing")
        }
    }

    // MARK: At every step

    /// Rights begin only when an instance handles something, so it is enough to look then.
    func handled(_ process: Process, _ actions: [ClusterAction]) {
        guard isStoreTrusted, !process.isExcused, actions.contains(where: \.mayGrant) else {
            return
        }
        for seat in process.member.seats.indices {
            guard let owned = process.member.seats[seat].owned,
                process.mayAct(seat, owned.title)
            else { continue }
            for place in process.world.places {
                guard let other = place.process, other !== process, !other.isExcused,
                    let theirs = other.member.seats.indices.contains(seat)
                        ? other.member.seats[seat].owned : nil,
                    other.mayAct(seat, theirs.title)
                else { continue }
                process.world.broken(
                    4,
                    "shard \(seat): \(process) may act under \(owned.title) and \(other) under "
                        + "\(theirs.title)")
            }
        }
    }

    /// A frozen owner goes on: nothing may be under way that gives the shard away.
    func resumed(_ process: Process, _ shard: Int, _ title: Title) {
        guard isStoreTrusted else { return }
        let world = process.world
        let key = ClusterKey.header(shard)
        let canMove = world.flights.contains { flight in
            guard flight.key == key, case .header(let header) = flight.value else { return false }
            return flight.author == process.place.index && header.owner != title.identity
                && world.store.mayWrite(key, flight.tag)
        }
        if canMove {
            world.broken(
                9, "\(process) left the freeze of shard \(shard), and its cut-over may still land")
        }
    }

    // MARK: From time to time

    func start(_ world: World) {
        world.after(2 * .second) { [unowned self] in
            for place in world.places { if let process = place.process { check(process) } }
            start(world)
        }
    }

    private func check(_ process: Process) {
        checkFrames(process)
        guard !process.isPaused, isStoreTrusted else { return }
        for shard in process.member.seats.indices {
            guard let owned = process.member.seats[shard].owned, owned.records.isReady,
                process.mayAct(shard, owned.title)
            else { continue }
            checkRecords(process, shard, owned)
        }
    }

    private func checkFrames(_ process: Process) {
        let waiting =
            process.allLinks.reduce(0) { $0 + $1.waiting }
            + process.served.values.flatMap { $0.shadow?.sorted ?? [] }.reduce(0) {
                $0 + $1.waiting
            }
        let fates = process.framesPublished + process.framesCounted + waiting
        if fates != process.framesRead {
            process.world.broken(
                10, "\(process) read \(process.framesRead) frames and knows the fate of \(fates)")
        }
    }

    private func checkRecords(_ process: Process, _ shard: Int, _ owned: Owned) {
        let world = process.world
        for name in world.remotes.keys.sorted() where process.member.shard(of: name) == shard {
            let record = owned.records.record(name)
            if !world.clients.allows(name, record?.revision) {
                world.broken(
                    8,
                    "\(name) at \(process) is \(record.map { "r\($0.revision)" } ?? "absent"), "
                        + "but \(world.clients.expected(name))")
            }
            guard owned.records.isQuiet else { continue }
            var stored: OwnedRecord?
            if case .record(let found)? = world.store.value(.record(name)), !found.isTombstone {
                stored = found
            }
            let isIndexed = owned.records.indexedNames.contains(name)
            if isIndexed || record != nil, stored?.revision != record?.revision {
                world.broken(
                    7,
                    "\(name) at \(process) is \(record.map { "r\($0.revision)" } ?? "absent"), "
                        + "in the store \(stored.map { "r\($0.revision)" } ?? "absent")")
            }
            if record != nil && !isIndexed { world.broken(7, "\(name) is live and in no page") }
        }
    }

    // MARK: At the end

    /// Every instance has its fair share, or one shard more.
    func checkBalanced(_ world: World) {
        let running = world.places.compactMap(\.process)
        guard Set(running.map(\.place.node)).count == running.count else { return }
        let share = world.shardCount / max(1, running.count)
        for process in running {
            let load = process.member.seats.count { $0.owned != nil }
            if load < share || load > share + 1 {
                world.broken(12, "\(process) serves \(load) shards, its share is \(share)")
            }
        }
    }

    /// Every shard is served by a living instance whose title is in the header.
    func checkServed(_ world: World) {
        // A hand-over may be under way at this very moment: each has to be seen served within 15 s.
        var unserved = Array(0..<world.shardCount)
        for _ in 0..<30 where !unserved.isEmpty {
            unserved.removeAll { isServed($0, world) }
            if !unserved.isEmpty { world.run(until: world.now + .second / 2) }
        }
        for shard in unserved {
            guard case .header(let header)? = world.store.value(.header(shard)),
                let title = header.title
            else {
                return world.broken(12, "shard \(shard) is owned by nobody")
            }
            world.broken(12, "shard \(shard) is not served under \(title)")
        }
    }

    private func isServed(_ shard: Int, _ world: World) -> Bool {
        guard case .header(let header)? = world.store.value(.header(shard)),
            let title = header.title
        else { return false }
        return world.places.contains { place in
            guard let process = place.process else { return false }
            return process.mayAct(shard, title)
                && process.member.seats[shard].owned?.records.isReady == true
        }
    }
}

extension ClusterAction {
    /// Whether a right may begin with this.
    var mayGrant: Bool {
        switch self {
        case .takeUp, .resume: true
        case .actUntil(let until): until != nil
        default: false
        }
    }
}

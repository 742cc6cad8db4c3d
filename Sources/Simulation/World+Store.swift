import ManagerCore

/// A write on its way to the store.
struct Flight {
    let number: UInt64
    let key: ClusterKey
    let tag: StoreTag?
    let value: ClusterValue
    let author: Int
}

extension World {
    private func storeDelay() -> SimTime {
        let delay = random.time(300, configuration.storeLatency)
        return !isHealed && random.chance(30) ? delay * 6 : delay
    }

    /// A bulk read is not a snapshot: it may look at two moments.
    func storeRead(
        _ keys: [ClusterKey], by place: Int,
        _ answer: @escaping ([(ClusterKey, ReadItem)]) -> Void
    ) {
        if !isHealed, random.chance(configuration.lostRequestPermille) { return }
        after(storeDelay()) { [unowned self] in
            guard !isStoreOut, !storeCuts.contains(StoreCut(place: place, isAnswer: false)) else {
                return
            }
            let half = random.chance(300) ? keys.count / 2 : keys.count
            let failed = failItem?(keys, place)
            func read(_ key: ClusterKey) -> (ClusterKey, ReadItem) {
                (key, key == failed ? .failed : self.read(key))
            }
            var items = keys[..<half].map(read)
            guard half < keys.count else { return reply(items, place, answer) }
            after(random.time(0, configuration.storeLatency)) { [unowned self] in
                items += keys[half...].map(read)
                reply(items, place, answer)
            }
        }
    }

    private func reply(
        _ items: [(ClusterKey, ReadItem)], _ place: Int,
        _ answer: @escaping ([(ClusterKey, ReadItem)]) -> Void
    ) {
        let extra = delayRead?(items.map(\.0), place) ?? 0
        // The answer to a bulk read of PostgreSQL comes in another order.
        let ordered = configuration.isRedis ? items : items.reversed()
        after(storeDelay() + extra) { [unowned self] in
            guard !storeCuts.contains(StoreCut(place: place, isAnswer: true)) else { return }
            answer(ordered)
        }
    }

    private func read(_ key: ClusterKey) -> ReadItem {
        if !isHealed, random.chance(configuration.itemErrorPermille) { return .failed }
        return store.read(key)
    }

    /// A write may be lost, late, or applied without an answer.
    func storeWrite(
        _ key: ClusterKey, _ tag: StoreTag?, _ value: ClusterValue, by process: Process,
        _ answer: @escaping () -> Void
    ) {
        if !isHealed, random.chance(configuration.lostRequestPermille) { return }
        let place = process.place.index
        let flight = flights.begin(key, tag, value, place)
        let isLate = !isHealed && random.chance(configuration.latePermille)
        var delay = isLate ? random.time(.second, 30 * .second) : storeDelay()
        switch interceptWrite?(flight, process) {
        case .lost: return flights.end(flight)
        case .late(let time): delay = time
        case .answerLost: return after(delay) { [unowned self] in land(flight) }
        case nil: break
        }
        lastLanding = max(lastLanding, now + delay)
        after(delay) { [unowned self] in arrive(flight, answer) }
    }

    private func arrive(_ flight: Flight, _ answer: @escaping () -> Void) {
        let isCut = storeCuts.contains(StoreCut(place: flight.author, isAnswer: false))
        guard !isStoreOut, !isCut else {
            // Held up somewhere on the way, some of them, and delivered after the outage.
            guard random.chance(300) else { return flights.end(flight) }
            let delay = random.time(.second, 8 * .second)
            lastLanding = max(lastLanding, now + delay)
            return after(delay) { [unowned self] in arrive(flight, {}) }
        }
        land(flight)
        let isLost = !isHealed && random.chance(configuration.lostAnswerPermille)
        after(isLost && random.chance(500) ? 10 * .second : storeDelay()) { [unowned self] in
            guard !storeCuts.contains(StoreCut(place: flight.author, isAnswer: true)) else {
                return
            }
            answer()
        }
    }

    private func land(_ flight: Flight) {
        flights.end(flight)
        let before = store.value(flight.key)
        let isApplied = store.write(flight.key, replacing: flight.tag, with: flight.value)
        guard isApplied else { return }
        if isTracing { noteWrite(flight) }
        checker.landed(flight, before: before, world: self)
    }

    private func noteWrite(_ flight: Flight) {
        switch flight.value {
        case .slot(let slot):
            if case .slot(let old)? = store.value(flight.key), old.state == slot.state,
                old.identity == slot.identity, slot.state == .alive, !isTracingAll
            {
                return
            }
            note(
                "store: slot \(slot.identity.slot) \(slot.state) \(slot.identity) by n\(flight.author)"
            )
        case .header(let header):
            note(
                "store: \(flight.key) \(header.title.map(String.init(describing:)) ?? "nobody e\(header.shardEpoch)") "
                    + "\(header.origin.how) pages \(header.pages) clean \(header.isClean) "
                    + "by n\(flight.author)")
        case .page(let page):
            note(
                "store: \(flight.key) e\(page.shardEpoch) \(page.names.sorted()) by n\(flight.author)"
            )
        case .record(let record):
            note(
                "store: \(flight.key) e\(record.shardEpoch) r\(record.revision)"
                    + "\(record.isTombstone ? " tombstone" : "") by n\(flight.author)")
        case .meta: note("store: meta by n\(flight.author)")
        }
    }
}

/// All writes on their way.
struct Flights {
    private var list: [Flight] = []
    private var lastNumber: UInt64 = 0

    mutating func begin(
        _ key: ClusterKey, _ tag: StoreTag?, _ value: ClusterValue, _ author: Int
    ) -> Flight {
        lastNumber += 1
        let flight = Flight(
            number: lastNumber, key: key, tag: tag, value: value, author: author)
        list.append(flight)
        return flight
    }

    mutating func end(_ flight: Flight) {
        list.removeAll { $0.number == flight.number }
    }

    func contains(_ matches: (Flight) -> Bool) -> Bool { list.contains(where: matches) }
}

import ManagerCore

/// What goes wrong in a simulated world.
package enum FaultKind: String, Sendable, CaseIterable {
    case crash
    /// A process stands still, for less or more than its lease.
    case pause
    case suspend
    case hypervisorPause
    /// One instance and the store: requests, answers, or both.
    case storeCut
    /// Two instances, one way or both.
    case peerCut
    case storeOutage
    /// Every link is stopped one by one; then they are released in another order.
    case swizzle
    case restart
    case leave
    case drainCalledOff
    case wallJump
    case hungLoops
    case socketDrops
    case join
    /// Drains, one after the other, of instances that come back.
    case rollingRestart
}

extension World {
    /// Begins a fault for `duration`; it ends by itself.
    func begin(_ kind: FaultKind, on place: Place, for duration: SimTime) {
        note("fault \(kind.rawValue) on n\(place.index) for \(duration / .millisecond) ms")
        coverage.began(kind.rawValue)
        activeFaults.append((kind.rawValue, now + duration + 15 * .second))
        switch kind {
        case .crash: crash(place, for: duration)
        case .pause: place.process?.pause(duration)
        case .suspend: place.process?.pause(duration, .suspend)
        case .hypervisorPause: place.process?.pause(duration, .hypervisor)
        case .storeCut: cutStore(place, for: duration)
        case .peerCut: cutPeer(place, for: duration)
        case .storeOutage: storeOutage(for: duration)
        case .swizzle: swizzle(for: duration)
        case .restart: drain(place, isRestart: true, backAfter: duration)
        case .leave: drain(place, isRestart: false, backAfter: duration)
        case .drainCalledOff:
            place.process?.soon { $0.handle(.drain(isRestart: false)) }
            after(duration / 8) { [weak place] in
                place?.process?.soon { $0.handle(.drainCalledOff) }
            }
        case .wallJump: place.wallOffset += random.time(-3000 * .second, 3000 * .second)
        case .hungLoops:
            place.process?.areLoopsLive = false
            after(duration) { [weak place] in place?.process?.areLoopsLive = true }
        case .socketDrops: for name in remotes.keys.sorted() { remotes[name]?.dropAll() }
        case .join: addPlace()
        case .rollingRestart: rollingRestart(pause: duration)
        }
    }

    private func crash(_ place: Place, for duration: SimTime) {
        place.crash()
        after(duration) { [weak place] in place?.start() }
    }

    func drain(_ place: Place, isRestart: Bool, backAfter pause: SimTime) {
        guard !isHealed, let process = place.process else { return }
        process.soon { $0.handle(.drain(isRestart: isRestart)) }
        comeBack(place, process, pause: pause)
    }

    /// Starts anew once the leaving process is gone.
    private func comeBack(_ place: Place, _ process: Process, pause: SimTime) {
        after(.second) { [weak self, weak place] in
            guard let self, let place else { return }
            if place.process === process { return comeBack(place, process, pause: pause) }
            after(pause) { [weak place] in place?.start() }
        }
    }

    private func rollingRestart(pause: SimTime) {
        for (number, place) in places.enumerated() {
            after(SimTime(number) * 9 * .second) { [weak self, weak place] in
                guard let self, let place else { return }
                drain(place, isRestart: false, backAfter: min(pause, 2 * .second))
            }
        }
    }

    func cutStore(
        _ place: Place, for duration: SimTime, requests: Bool? = nil, answers: Bool? = nil
    ) {
        let both = random.chance(400)
        let cutsRequests = requests ?? (both || random.chance(500))
        let cutsAnswers = answers ?? (both || !cutsRequests)
        if cutsRequests { cut(StoreCut(place: place.index, isAnswer: false), for: duration) }
        if cutsAnswers { cut(StoreCut(place: place.index, isAnswer: true), for: duration) }
    }

    private func cut(_ cut: StoreCut, for duration: SimTime) {
        storeCuts.insert(cut)
        after(duration) { [unowned self] in storeCuts.remove(cut) }
    }

    private func cutPeer(_ place: Place, for duration: SimTime) {
        guard let other = random.pick(places.filter { $0 !== place }) else { return }
        let there = PeerCut(from: place.index, to: other.index)
        let back = PeerCut(from: other.index, to: place.index)
        let cuts = random.chance(500) ? [there] : [there, back]
        for cut in cuts { peerCuts.insert(cut) }
        after(duration) { [unowned self] in for cut in cuts { peerCuts.remove(cut) } }
    }

    func storeOutage(for duration: SimTime) {
        isStoreOut = true
        after(duration) { [unowned self] in isStoreOut = false }
    }

    private func swizzle(for duration: SimTime) {
        var cuts = places.flatMap { place in
            [
                StoreCut(place: place.index, isAnswer: false),
                StoreCut(place: place.index, isAnswer: true),
            ]
        }
        let step = duration / SimTime(2 * cuts.count)
        cuts.shuffle(using: &random)
        for (number, cut) in cuts.enumerated() {
            after(SimTime(number) * step) { [unowned self] in storeCuts.insert(cut) }
        }
        cuts.shuffle(using: &random)
        for (number, cut) in cuts.enumerated() {
            after(duration / 2 + SimTime(number) * step) { [unowned self] in storeCuts.remove(cut) }
        }
    }

    @discardableResult
    func addPlace() -> Place? {
        guard places.count < configuration.slots else { return nil }
        let place = Place(index: places.count, world: self)
        places.append(place)
        place.start()
        return place
    }

    /// Everything works again, and every instance runs.
    func heal() {
        note("all faults end")
        isHealed = true
        isStoreOut = false
        storeCuts.removeAll()
        peerCuts.removeAll()
        for place in places {
            place.process?.areLoopsLive = true
            place.start()
        }
    }
}

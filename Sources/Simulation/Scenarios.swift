import ManagerCore

// The numbers are those of the schedules in docs/ownership.md.
extension Scenario {
    static var lateWrites: [Scenario] {
        [
            Scenario("1 a heartbeat lands after the take-over") { world in
                world.toWrites(2, .late(30 * .second)) { flight, process in
                    process.place.index == 0 && flight.slot?.state == .alive
                }
                world.at(world.sec(4)) {
                    world.begin(.crash, on: world.place(0), for: 60 * .second)
                }
            },
            Scenario("1 a take-over's write lands while the owner beats again") { world in
                world.toWrites(3, .late(20 * .second)) { flight, _ in flight.slot?.state == .dead }
                world.at(world.sec(0)) {
                    world.cutStore(world.place(0), for: 12 * .second, requests: true, answers: true)
                }
            },
            Scenario("1 the heart beats between the look and the take-over") { world in
                world.at(world.sec(0)) {
                    world.cutStore(
                        world.place(0), for: 9 * .second + world.random.time(0, 4 * .second),
                        requests: true, answers: false)
                }
            },
            Scenario("2 a claim that was given up lands and is adopted") { world in
                world.toWrites(2, .late(25 * .second)) { flight, _ in
                    flight.header?.origin.how == .takeover
                }
                world.at(world.sec(0)) {
                    world.begin(.crash, on: world.place(0), for: 50 * .second)
                }
                world.at(world.sec(14)) { world.storeOutage(for: 9 * .second) }
            },
            Scenario("2 a claim lands when its claimer is dead") { world in
                world.toWrites(2, .late(20 * .second)) { flight, process in
                    guard flight.header?.origin.how == .takeover else { return false }
                    world.after(.second) { process.place.crash() }
                    world.after(3 * .second) { process.place.start() }
                    return true
                }
                world.at(world.sec(0)) {
                    world.begin(.crash, on: world.place(0), for: 50 * .second)
                }
            },
            Scenario("15 writes of the dead owner land around each step of the seal") { world in
                world.interceptWrite = { flight, process in
                    guard world.now >= World.warm, process.place.index == 0,
                        flight.isRecord || flight.isPage
                    else { return nil }
                    return .late(world.random.time(5 * .second, 40 * .second))
                }
                world.at(world.sec(12)) {
                    world.begin(.crash, on: world.place(0), for: 50 * .second)
                }
            },
            Scenario("15 an own record write stays pending for long, then lands") { world in
                world.toWrites(12, .late(30 * .second)) { flight, process in
                    process.place.index == 0 && flight.isRecord
                }
                world.at(world.sec(40)) {
                    world.begin(.pause, on: world.place(0), for: 3 * .second)
                }
            },
            Scenario(
                "16 create, delete, create, with take-overs in between",
                configure: { $0.clientPause = 150 * .millisecond }
            ) { world in
                world.interceptWrite = { flight, _ in
                    guard world.now >= World.warm, !world.isHealed,
                        flight.isRecord || flight.isPage, world.random.chance(150)
                    else { return nil }
                    return .late(world.random.time(.second, 30 * .second))
                }
                world.at(world.sec(8)) { world.begin(.crash, on: world.place(0), for: 5 * .second) }
                world.at(world.sec(30)) {
                    world.begin(.crash, on: world.place(1), for: 5 * .second)
                }
            },
            Scenario("20 an owner ends between the applied write and the answer") { world in
                world.interceptWrite = { flight, process in
                    guard world.now >= world.sec(2), world.now < world.sec(3), flight.isRecord
                    else { return nil }
                    world.after(120 * .millisecond) {
                        if process.isAlive {
                            world.begin(.crash, on: process.place, for: 20 * .second)
                        }
                    }
                    return .answerLost
                }
            },
        ]
    }

    static var joins: [Scenario] {
        [
            Scenario(
                "3 the first polls after a join cannot read the own slot",
                check: { $0.seen("deposed") ? "it was taken for deposed" : nil }
            ) { world in
                world.failItem = { keys, place in
                    guard place == 0, keys.count > 1, world.now < world.sec(8),
                        let identity = world.place(0).process?.member.identity
                    else { return nil }
                    return .slot(identity.slot)
                }
                world.at(world.sec(0)) {
                    world.drain(world.place(0), isRestart: true, backAfter: .second)
                }
            },
            Scenario("3 a join that was given up lands after another succeeded") { world in
                world.toWrites(4, .late(20 * .second)) { flight, process in
                    process.place.index == 2 && flight.slot?.state == .alive
                        && flight.slot?.identity != process.member.identity
                }
                world.at(world.sec(0)) { world.place(2).crash() }
                world.at(world.sec(1)) {
                    world.place(2).hostID = "another"
                    world.place(2).start()
                }
            },
            Scenario(
                "4 more instances than slots",
                configure: {
                    $0.slots = 3; $0.instances = 3
                },
                check: { $0.seen("no free slot") ? nil : "nobody was left out" }
            ) { world in
                world.at(world.sec(0)) {
                    let place = Place(index: 3, world: world)
                    world.places.append(place)
                    place.start()
                }
                world.at(world.sec(20)) {
                    world.drain(world.place(0), isRestart: false, backAfter: 90 * .second)
                }
                world.at(world.sec(50)) {
                    world.place(3).crash(); world.places.removeLast()
                }
            },
            Scenario(
                "4 the 65th instance stays out",
                configure: {
                    $0.instances = 65
                    $0.slots = 64
                    $0.shards = 64
                    $0.names = 4
                    $0.faultSeconds = 40
                },
                check: { $0.seen("no free slot") ? nil : "nobody was left out" }
            ) { world in
                world.at(world.sec(40)) {
                    world.place(64).crash()
                    world.places.removeLast()
                }
            },
            Scenario(
                "4 two first starts with different numbers of shards",
                configure: {
                    $0.shardsWanted = [0: 5, 1: 9, 2: 7]
                },
                check: { world in
                    let counts = Set(world.places.compactMap { $0.process?.member.seats.count })
                    return counts.count == 1 ? nil : "the members count \(counts) shards"
                }
            ) { world in
                world.interceptWrite = { flight, process in
                    flight.key == .meta && process.place.index == 1
                        ? .late(world.random.time(.second, 6 * .second)) : nil
                }
            },
            Scenario(
                "4 all slots are stale after a crash of all",
                configure: {
                    $0.slots = 3; $0.instances = 3
                },
                check: { $0.seen("buried") ? nil : "nobody was buried" }
            ) { world in
                world.at(world.sec(0)) {
                    for place in world.places { place.crash() }
                    for place in world.places {
                        place.hostID += "'"
                        place.node += "'"
                    }
                }
                world.at(world.sec(2)) { for place in world.places { place.start() } }
            },
            Scenario("4 a first start whose create is unknown") { world in
                world.interceptWrite = { flight, process in
                    flight.key == .meta && process.place.index != 1
                        ? .late(world.random.time(.second, 6 * .second)) : nil
                }
            },
            Scenario("5 an instance that joined after the roster was read is not dead") { world in
                world.delayRead = { keys, place in
                    place == 1 && keys.contains(.meta) ? 1200 * .millisecond : 0
                }
                for second in [0, 12, 24] {
                    world.at(world.sec(second)) {
                        world.drain(world.place(0), isRestart: false, backAfter: .second)
                    }
                }
            },
        ]
    }

    static var calls: [Scenario] {
        [
            Scenario(
                "a forwarded change arrives late, after a later one was acknowledged",
                configure: { $0.clientPause = 200 * .millisecond }
            ) { world in
                world.delayMessage = { message in
                    guard case .call = message, !world.isHealed, world.random.chance(250) else {
                        return 0
                    }
                    return world.random.time(9 * .second, 16 * .second)
                }
            },
            Scenario(
                "a cordoned member keeps what it has and takes nothing",
                check: { $0.seen("take-over") ? nil : "nobody took over" }
            ) { world in
                var kept: Set<Int> = []
                world.at(world.sec(0)) {
                    world.place(0).process?.handle(.cordon(true))
                    kept = world.shards(of: world.place(0))
                }
                world.at(world.sec(1)) {
                    world.begin(.crash, on: world.place(1), for: 90 * .second)
                }
                world.at(world.sec(45)) {
                    let held = world.shards(of: world.place(0))
                    if held != kept {
                        world.broken(12, "cordoned with \(kept.sorted()), now \(held.sorted())")
                    }
                    world.place(0).process?.handle(.cordon(false))
                }
            },
        ]
    }

    static var pauses: [Scenario] {
        let everywhere = (0..<6).map { step in
            Scenario("6 a process stands still at every \(step + 3)th store call") { world in
                var calls = 0
                world.onAction = { process, action in
                    guard world.now >= World.warm, !world.isHealed, process.place.index == 0 else {
                        return
                    }
                    switch action {
                    case .read, .write: calls += 1
                    default: return
                    }
                    if calls % (40 * (step + 3)) == 0 {
                        process.pause(world.random.time(3 * .second, 25 * .second))
                    }
                }
            }
        }
        return everywhere + [
            Scenario(
                "6 a process stands still between check and publish",
                configure: { $0.pauseAtPublishPermille = 10 }
            ) { _ in },
            Scenario("6 an heir and an owner stand still in a hand-over") { world in
                world.once({ _, action in
                    if case .write(_, .header, _, .header(let header)) = action {
                        return header.origin.how == .handover
                    }
                    return false
                }) { process in
                    process.pause(8 * .second)
                    world.other(than: process)?.process?.pause(5 * .second)
                }
                world.at(world.sec(0)) {
                    world.drain(world.place(0), isRestart: false, backAfter: 5 * .second)
                }
            },
            Scenario("7 one host is suspended") { world in
                for second in [0, 30] {
                    world.at(world.sec(second)) {
                        world.place(0).process?.pause(18 * .second, .suspend)
                    }
                }
            },
            Scenario("7 all hosts are suspended at once") { world in
                world.at(world.sec(0)) {
                    for place in world.places { place.process?.pause(30 * .second, .suspend) }
                }
            },
            Scenario("7 a hypervisor stops both clocks") { world in
                world.at(world.sec(0)) {
                    world.place(0).process?.pause(25 * .second, .hypervisor)
                }
            },
        ]
    }

    static var clocks: [Scenario] {
        [
            Scenario(
                "8 the owner is slow, the observers fast",
                configure: { $0.driftsPPM = [0: -10_000, 1: 10_000, 2: 10_000] }
            ) { world in edge(world) },
            Scenario(
                "8 the owner is fast, the observers slow",
                configure: { $0.driftsPPM = [0: 10_000, 1: -10_000, 2: -10_000] }
            ) { world in edge(world) },
        ]
    }

    /// Cuts the first instance from the store again and again, about as long as its lease bears.
    static func edge(_ world: World) {
        for round in 0..<4 {
            world.at(world.sec(round * 18)) {
                let length = world.random.time(4 * .second, 14 * .second)
                world.cutStore(world.place(0), for: length, requests: true, answers: round % 2 == 0)
            }
        }
    }

    /// The owner's clock 40 % slow and the observers' 40 % fast: far outside of the promise.
    package static let brokenClocks = Scenario(
        "clocks 40 % off",
        configure: {
            $0.driftPPM = 400_000
            $0.driftsPPM = [0: -400_000, 1: 400_000, 2: 400_000]
        }
    ) { world in edge(world) }

    static var outages: [Scenario] {
        let lengths = [7, 15, 28].map { seconds in
            Scenario(
                "9 the store is out for \(seconds) s: no socket is cut, nobody is taken over",
                check: { world in
                    if world.socketsCut > 0 { return "\(world.socketsCut) sockets were cut" }
                    return world.checker.buried > 0 ? "somebody was taken over" : nil
                }
            ) { world in
                world.at(world.sec(0)) {
                    world.begin(.storeOutage, on: world.place(0), for: SimTime(seconds) * .second)
                }
            }
        }
        return lengths + [
            Scenario(
                "9 the store is out for 60 s: sockets are closed, nobody is taken over",
                check: { world in
                    if world.socketsCut == 0 { return "no socket was closed" }
                    return world.checker.buried > 0 ? "somebody was taken over" : nil
                }
            ) { world in
                world.at(world.sec(0)) {
                    world.begin(.storeOutage, on: world.place(0), for: 60 * .second)
                }
            },
            Scenario("9 all are cut off, one heals 3 s earlier") { world in
                world.at(world.sec(0)) {
                    for place in world.places {
                        let length: SimTime = place.index == 1 ? 17 * .second : 20 * .second
                        world.cutStore(place, for: length, requests: true, answers: true)
                    }
                }
            },
            Scenario("10 the roster flaps every 12 s", configure: { $0.faultSeconds = 110 }) {
                world in
                for round in 0..<6 {
                    world.at(world.sec(round * 12)) {
                        world.drain(
                            world.place(2), isRestart: round % 2 == 0, backAfter: 5 * .second)
                    }
                }
            },
            Scenario("10 cut off from the store only") { world in
                world.at(world.sec(0)) {
                    world.cutStore(world.place(0), for: 45 * .second, requests: true, answers: true)
                }
            },
            Scenario("10 cut off from the peers only, while leaving") { world in
                world.at(world.sec(0)) {
                    for index in 1...2 {
                        world.peerCuts.insert(World.PeerCut(from: 0, to: index))
                        world.peerCuts.insert(World.PeerCut(from: index, to: 0))
                    }
                    world.drain(world.place(0), isRestart: false, backAfter: 10 * .second)
                }
            },
            Scenario(
                "10 the bus is as slow as it may be", configure: { $0.slowPublishPermille = 1000 }
            ) { world in
                world.at(world.sec(0)) { world.begin(.crash, on: world.place(0), for: 5 * .second) }
                world.at(world.sec(30)) {
                    world.cutStore(world.place(1), for: 15 * .second, requests: true, answers: true)
                }
            },
            Scenario(
                "10 the loops hang and the heartbeat would go on",
                check: { $0.seen("take-over") ? nil : "its shards were not taken over" }
            ) { world in
                world.at(world.sec(0)) {
                    world.begin(.hungLoops, on: world.place(0), for: 40 * .second)
                }
            },
        ]
    }
}

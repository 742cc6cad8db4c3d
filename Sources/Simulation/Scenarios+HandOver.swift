import ManagerCore

extension Scenario {
    /// A step of the hand-over, as an action of the owner or of the heir.
    private enum Step: Int, CaseIterable, Sendable {
        case ask, shadow, digests, freeze, final, cut, done, start

        func matches(_ action: ClusterAction) -> Bool {
            switch (self, action) {
            case (.ask, .send(.ask, _)), (.shadow, .shadow), (.freeze, .stopReading),
                (.digests, .send(.digests(_, _, false, _), _)),
                (.final, .send(.digests(_, _, true, _), _)):
                true
            case (.cut, .write(_, .header, _, .header(let header))):
                header.origin.how == .handover
            case (.done, .drop(_, _, .handedOver)): true
            case (.start, .takeUp(_, _, let origin)): origin.how == .handover
            default: false
            }
        }
    }

    static var handOvers: [Scenario] {
        crashes + cutOvers + drains
    }

    private static var crashes: [Scenario] {
        Step.allCases.flatMap { step in
            ["owner", "heir", "both"].map { who in
                Scenario("11 \(who) ends after the step \(step)") { world in
                    world.once({ process, action in
                        step.matches(action)
                    }) { process in
                        // The first instance leaves: it is the owner, whoever acted.
                        let owner = world.place(0)
                        let heirs = world.places.filter { place in
                            place !== owner
                                && (place.process?.shadows.isEmpty == false
                                    || place.process === process)
                        }
                        if who != "heir" { world.begin(.crash, on: owner, for: 15 * .second) }
                        if who != "owner" {
                            for heir in heirs.isEmpty ? [world.place(1)] : heirs {
                                world.begin(.crash, on: heir, for: 15 * .second)
                            }
                        }
                    }
                    world.at(world.sec(0)) {
                        world.drain(world.place(0), isRestart: false, backAfter: 5 * .second)
                    }
                }
            }
        }
    }

    private static var cutOvers: [Scenario] {
        [
            Scenario(
                "12 the cut-over stays unknown and lands 30 s later",
                check: { $0.seen("hand-over off") ? nil : "no hand-over was called off" }
            ) { world in
                world.toWrites(30, .late(30 * .second)) { flight, _ in
                    flight.isCutOver && world.now < world.sec(12)
                }
                world.at(world.sec(0)) {
                    world.drain(world.place(0), isRestart: false, backAfter: 5 * .second)
                }
            },
            Scenario("12 the cut-over lands late, after a short while") { world in
                world.interceptWrite = { flight, _ in
                    guard flight.isCutOver, !world.isHealed else { return nil }
                    return .late(world.random.time(500 * .millisecond, 6 * .second))
                }
                world.at(world.sec(0)) {
                    world.drain(world.place(0), isRestart: false, backAfter: 5 * .second)
                }
                world.at(world.sec(40)) {
                    world.drain(world.place(1), isRestart: false, backAfter: 5 * .second)
                }
            },
            handedBack,
            staleLook,
        ]
    }

    /// Two instances and few records, so that a shard goes there and back within a second.
    @Sendable private static func pingPong(_ configuration: inout SimConfiguration) {
        configuration.instances = 2
        configuration.names = 2
        configuration.storeLatency = 10 * .millisecond
        configuration.faultSeconds = 130
    }

    /// As soon as the second instance has got a shard from the first, it leaves, and the first stays.
    private static func handBack(_ world: World) {
        var isAway = false
        world.onAction = { process, action in
            guard world.now >= World.warm, !world.isHealed, !isAway,
                process.place.index == 1, case .takeUp(_, _, let origin) = action,
                origin.how == .handover
            else { return }
            isAway = true
            world.after(20 * .second) { isAway = false }
            world.after(10 * .millisecond) {
                world.place(0).process?.soon { $0.handle(.drainCalledOff) }
                world.drain(process.place, isRestart: false, backAfter: .second)
            }
        }
        for round in 0..<3 {
            world.at(world.sec(25 + round * 25)) {
                world.place(0).process?.soon { $0.handle(.drain(isRestart: false)) }
            }
        }
    }

    /// The cut-over is unknown to the owner; the heir hands the shard back at once, while the
    /// former owner still waits for what became of its write.
    static let handedBack = Scenario(
        "12 the shard is handed back while its cut-over is unknown", configure: pingPong
    ) { world in
        world.interceptWrite = { flight, process in
            let isMeant =
                world.now >= World.warm && !world.isHealed && flight.isCutOver
                && process.place.index == 0
            return isMeant ? .answerLost : nil
        }
        handBack(world)
    }

    /// The heir looks at the header several times; one answer comes when the shard is gone again.
    static let staleLook = Scenario(
        "12 a header read before a hand-over is looked at after it", configure: pingPong
    ) { world in
        world.delayRead = { keys, place in
            guard !world.isHealed, place == 1, keys.count == 1, case .header? = keys.first else {
                return 0
            }
            return world.random.chance(500) ? world.random.time(0, 1400 * .millisecond) : 0
        }
        handBack(world)
    }

    private static var drains: [Scenario] {
        [
            Scenario("14 a drain with no peer", configure: { $0.instances = 1 }) { world in
                world.at(world.sec(0)) {
                    world.drain(world.place(0), isRestart: false, backAfter: 5 * .second)
                }
            },
            Scenario("14 two drain at once") { world in
                world.at(world.sec(0)) {
                    for index in 0...1 {
                        world.drain(world.place(index), isRestart: false, backAfter: 5 * .second)
                    }
                }
            },
            Scenario("14 all drain at once") { world in
                world.at(world.sec(0)) {
                    for place in world.places {
                        world.drain(place, isRestart: false, backAfter: 3 * .second)
                    }
                }
            },
            rollingRestart,
            fencedHeirLeaves,
            Scenario("14 a drain is called off while a release is pending") { world in
                world.toWrites(20, .late(4 * .second)) { flight, _ in
                    flight.header?.origin.how == .release && flight.header?.owner == nil
                }
                world.at(world.sec(0)) {
                    world.place(0).process?.soon { $0.handle(.drain(isRestart: true)) }
                }
                world.at(world.sec(2)) {
                    world.place(0).process?.soon { $0.handle(.drainCalledOff) }
                }
            },
            Scenario("19 hand-overs with single sessions, numbers by socket and equal frames") {
                world in
                for round in 0..<3 {
                    world.at(world.sec(round * 15)) {
                        world.drain(world.place(round), isRestart: false, backAfter: 2 * .second)
                    }
                }
            },
        ]
    }

    /// A shard comes to an instance that is fenced, and leaves before it has read the records: what
    /// the shadow buffered is published after the shard was found drained.
    static let fencedHeirLeaves = Scenario(
        "14 a fenced heir leaves before it has read the records",
        configure: {
            $0.slowPublishPermille = 1000
            $0.storeLatency = 250 * .millisecond
        }
    ) { world in
        world.once({ _, action in Step.final.matches(action) }) { _ in
            for heir in world.places where heir.process?.shadows.isEmpty == false {
                world.begin(.storeCut, on: heir, for: 7 * .second)
            }
            world.once({ process, action in
                process.place.index != 0 && Step.start.matches(action)
            }) { heir in
                world.drain(heir.place, isRestart: true, backAfter: .second)
            }
        }
        world.at(world.sec(0)) {
            world.place(0).process?.soon { $0.handle(.drain(isRestart: false)) }
        }
    }

    /// Every instance is restarted in turn, and every frame arrives exactly once.
    static let rollingRestart = Scenario(
        "14 a rolling restart: no frame is missed or repeated",
        configure: {
            $0.onlySharedRemotes = true
            $0.clientPause = 3600 * .second
            $0.faultSeconds = 100
        },
        check: { world in
            guard world.seen("hand-over") else { return "there was no hand-over" }
            for (name, frames) in world.bus.accepted.sorted(by: { $0.key < $1.key }) {
                for (former, next) in zip(frames, frames.dropFirst()) where next != former + 1 {
                    return "\(name): \(former) was followed by \(next)"
                }
            }
            return nil
        }
    ) { world in
        for index in 0..<3 {
            world.at(world.sec(index * 25)) {
                world.drain(world.place(index), isRestart: false, backAfter: 2 * .second)
            }
        }
    }

    static var restarts: [Scenario] {
        let waits: [(String, SimTime)] = [
            ("within a second", 700 * .millisecond), ("within the suspicion", 6 * .second),
            ("within the grace", 15 * .second), ("after the grace", 40 * .second),
        ]
        return waits.flatMap { name, wait in
            [
                Scenario("13 a crashed instance is back \(name)") { world in
                    world.at(world.sec(0)) { world.begin(.crash, on: world.place(0), for: wait) }
                },
                Scenario("13 an announced restart is back \(name)") { world in
                    world.at(world.sec(0)) {
                        world.drain(world.place(0), isRestart: true, backAfter: wait)
                    }
                },
            ]
        } + [
            Scenario("13 a second process of a node whose first stands still") { world in
                world.at(world.sec(0)) {
                    world.place(0).process?.pause(25 * .second)
                    let twin = Place(index: 3, world: world)
                    twin.node = "n0"
                    twin.hostID = "h0"
                    twin.hasLock = false
                    world.places.append(twin)
                    twin.start()
                }
            },
            Scenario("13 a cloned data directory") { world in
                world.at(world.sec(0)) {
                    let twin = Place(index: 3, world: world)
                    twin.node = "n0"
                    twin.hostID = "elsewhere"
                    world.places.append(twin)
                    twin.start()
                }
                world.at(world.sec(20)) {
                    world.begin(.crash, on: world.place(0), for: 2 * .second)
                }
            },
        ]
    }

    static var stores: [Scenario] {
        [
            Scenario(
                "18 the store goes back by some seconds, three times",
                check: { $0.seen("store went back") ? nil : "nobody noticed" }
            ) { world in
                world.checker.isStoreTrusted = false
                world.checker.isSinglePublisherExpected = false
                for second in 0..<60 {
                    world.at(world.sec(second)) { world.store.snapshot(at: world.now) }
                }
                for second in [9, 19, 29] {
                    world.at(world.sec(second)) {
                        world.begin(.leave, on: world.place(second % 3), for: 3 * .second)
                    }
                    world.at(world.sec(second + 3)) {
                        world.store.goBack(to: world.now - 4 * .second)
                    }
                }
            },
            Scenario("18 the store is emptied: everybody stops for good, none re-creates it") {
                world in
                world.checker.isStoreTrusted = false
                world.at(world.sec(0)) { world.store.empty() }
                world.at(world.sec(12)) {
                    if world.places.contains(where: { $0.process != nil }) {
                        world.broken(0, "somebody goes on over an emptied store")
                    }
                    if world.store.value(.meta) != nil {
                        world.broken(0, "a running process made the cluster anew")
                    }
                    for place in world.places { place.start() }
                }
            },
        ]
    }
}

import ManagerCore

/// Where an instance runs: a host with its clocks, a data directory with its lock.
final class Place {
    let index: Int
    unowned let world: World
    var node: String
    var hostID: String
    /// Whether a process started here can get the exclusive lock of the node's data directory.
    var hasLock = true
    private(set) var process: Process?
    private var lives = 0

    // Clocks. The rate's error is in parts per million.
    let driftPPM: Int
    private let offset: SimTime
    private var notCounted: SimTime = 0
    private var stoppedSince: SimTime?
    var wallOffset: SimTime = 0

    init(index: Int, world: World) {
        self.index = index
        self.world = world
        node = "n\(index)"
        hostID = "h\(index)"
        let most = world.configuration.driftPPM
        driftPPM = world.configuration.driftsPPM[index] ?? world.random.int(-most...most)
        offset = world.random.time(0, 1000 * .second)
    }

    var address: String { "a\(index)" }

    /// The clock of the lease.
    var clock: Moment {
        let until = stoppedSince ?? world.now
        let counted = until - notCounted
        return Moment(.microseconds(offset + counted + counted * SimTime(driftPPM) / 1_000_000))
    }

    var wall: Duration { .microseconds(1_700_000_000 * .second + world.now + wallOffset) }

    /// Real time for a duration of this host's clock.
    func real(_ duration: Duration) -> SimTime {
        let microseconds =
            duration.components.seconds * 1_000_000
            + duration.components.attoseconds / 1_000_000_000_000
        return microseconds - microseconds * SimTime(driftPPM) / 1_000_000
    }

    func stopClock() { if stoppedSince == nil { stoppedSince = world.now } }

    func startClock() {
        guard let since = stoppedSince else { return }
        notCounted += world.now - since
        stoppedSince = nil
    }

    func start() {
        guard process == nil else { return }
        lives += 1
        var configuration = ClusterConfiguration(
            node: node, hostID: hostID, address: address, lockedAt: hasLock ? clock : nil,
            timing: world.configuration.timing)
        configuration.slots = world.configuration.slots
        configuration.shards =
            world.configuration.shardsWanted[index] ?? world.configuration.shards
        configuration.namesPerPage = world.configuration.namesPerPage
        configuration.rules = world.configuration.rules
        let random = SplitMix64(seed: world.random.next())
        let member = ClusterMember(configuration: configuration, random: random)
        let process = Process(place: self, member: member, life: lives)
        self.process = process
        world.note("n\(index).\(lives) starts")
        process.scheduleTick(after: world.random.time(0, 100 * .millisecond))
    }

    /// The process is gone, and with it sockets, memory and the lock.
    func crash() {
        guard let process else { return }
        world.note("\(process) crashes")
        process.end()
        self.process = nil
        startClock()
    }

    func ended(_ process: Process) {
        if self.process === process { self.process = nil }
    }
}

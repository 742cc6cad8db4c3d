package import ManagerCore

/// The shape of one simulated world. Drawn from the seed, or given by a directed scenario.
package struct SimConfiguration: Sendable {
    package var instances = 3
    package var shards = 8
    package var slots = 10
    package var names = 8
    package var isRedis = true
    package var timing = ClusterTiming.standard
    package var rules = ProtocolRules.all
    package var namesPerPage = 3
    /// Largest error of a clock's rate in this world; may lie outside of what the timing allows.
    package var driftPPM = 10_000
    /// Clocks of instances by number, where a scenario sets them; else drawn within ± `driftPPM`.
    package var driftsPPM: [Int: Int] = [:]
    /// Wanted numbers of shards of instances by number, where they differ.
    package var shardsWanted: [Int: Int] = [:]

    /// How long faults go on.
    package var faultSeconds: Int = 80
    /// Out of a thousand writes: land up to half a minute late.
    package var latePermille = 10
    /// Out of a thousand writes: applied, but answered with an error or not at all.
    package var lostAnswerPermille = 10
    package var lostRequestPermille = 5
    /// Out of a thousand items of a bulk read: an error.
    package var itemErrorPermille = 5
    package var messageLossPermille = 10
    package var duplicatePermille = 10
    /// Out of a thousand publish calls: the process stands still between check and request.
    package var pauseAtPublishPermille = 2
    /// Out of a thousand publish calls: slow, up to the longest that is allowed.
    package var slowPublishPermille = 100
    package var storeLatency: SimTime = 40 * .millisecond
    /// From change to change that clients ask for.
    package var clientPause: SimTime = 900 * .millisecond
    package var framePeriod: SimTime = 900 * .millisecond
    /// Kinds of faults that may happen, and how many of them.
    package var faults = FaultKind.allCases
    package var faultCount = 6
    /// The remote of every connection sends all sockets the same numbered frames.
    package var onlySharedRemotes = false
    /// All instances start within a second, so that the shards are spread from the beginning.
    package var startsTogether = false

    package init() {}

    /// What a seed stands for.
    package init(seed: UInt64, rules: ProtocolRules = .all) {
        var random = SplitMix64(seed: seed ^ 0xC0FF_EE00)
        self.rules = rules
        instances = random.chance(50) ? random.int(7...10) : random.int(2...5)
        shards = random.int(4...10)
        slots = instances + random.int(2...4)
        names = random.int(4...10)
        isRedis = random.chance(500)
        timing = random.chance(150) ? .fast : .standard
        timing.restAfterMove = timing.restAfterMove / 3
        faultSeconds = random.int(30...90)
        latePermille = random.chance(700) ? random.int(0...40) : 0
        lostAnswerPermille = random.int(0...30)
        lostRequestPermille = random.int(0...20)
        itemErrorPermille = random.int(0...10)
        messageLossPermille = random.int(0...30)
        duplicatePermille = random.int(0...30)
        pauseAtPublishPermille = random.int(0...4)
        slowPublishPermille = random.int(0...200)
        storeLatency = random.time(2 * .millisecond, 200 * .millisecond)
        if timing.poll < .seconds(1) { storeLatency /= 4 }
        faultCount = random.int(2...9)
        if random.chance(300) {
            // One kind of fault again and again finds what a mixture dilutes.
            faults = [
                random.pick(FaultKind.allCases) ?? .crash,
                random.pick(FaultKind.allCases) ?? .crash,
            ]
        }
    }
}

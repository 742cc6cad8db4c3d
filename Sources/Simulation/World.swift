import ManagerCore

/// A broken promise, with all that is needed to see it again.
package struct Violation: Sendable, CustomStringConvertible {
    /// Number of the invariant in docs/ownership.md.
    package var invariant: Int
    package var at: SimTime
    package var text: String

    package var description: String {
        "invariant \(invariant) broken at \(Double(at / 1000) / 1000) s: \(text)"
    }
}

/// N instances, a store, peers, remotes, clients and a bus, on one thread in virtual time.
///
/// Everything random comes from one generator in the order of events, so a seed is a whole run.
package final class World {
    package let configuration: SimConfiguration
    package let seed: UInt64
    var random: SplitMix64
    package private(set) var now: SimTime = 0
    private var events = EventQueue()
    package private(set) var eventCount = 0

    let store: SimStore
    let bus = SimBus()
    let checker = Checker()
    let clients = Clients()
    var places: [Place] = []
    var remotes: [String: Remote] = [:]
    package internal(set) var coverage = Coverage()
    package internal(set) var violation: Violation?

    // Faults that hold now.
    var activeFaults: [(name: String, until: SimTime)] = []
    var isStoreOut = false
    var storeCuts: Set<StoreCut> = []
    var peerCuts: Set<PeerCut> = []
    var isHealed = false
    /// After this moment no write that was begun during the faults can land any more.
    var lastLanding: SimTime = 0
    var flights = Flights()

    // What a directed scenario does to single calls and actions.
    var interceptWrite: ((Flight, Process) -> WriteFate?)?
    /// How much longer the answer to a read takes, after the store was looked at.
    var delayRead: (([ClusterKey], Int) -> SimTime)?
    /// The key of a read by this place that cannot be read.
    var failItem: (([ClusterKey], Int) -> ClusterKey?)?
    var onAction: ((Process, ClusterAction) -> Void)?
    /// How much longer a message to a peer takes.
    var delayMessage: ((PeerMessage) -> SimTime)?
    /// Sockets that an instance closed though nobody asked for it.
    var socketsCut = 0

    enum WriteFate {
        case lost
        case late(SimTime)
        /// Applied; the writer learns nothing.
        case answerLost
    }

    var isTracing = false
    /// Heartbeats too.
    var isTracingAll = false
    package private(set) var trace: [String] = []

    struct StoreCut: Hashable {
        var place: Int
        var isAnswer: Bool
    }

    struct PeerCut: Hashable {
        var from: Int
        var to: Int
    }

    package init(configuration: SimConfiguration, seed: UInt64, isTracing: Bool = false) {
        self.configuration = configuration
        self.seed = seed
        self.isTracing = isTracing
        random = SplitMix64(seed: seed)
        store = SimStore(mode: configuration.isRedis ? .redis : .postgreSQL)
        for index in 0..<configuration.instances { places.append(Place(index: index, world: self)) }
        for index in 0..<configuration.names {
            let name = "c\(index)"
            remotes[name] = Remote(name: name, world: self, kind: remoteKind())
        }
    }

    private func remoteKind() -> Remote.Kind {
        if configuration.onlySharedRemotes { return .shared }
        return random.pick([.shared, .shared, .shared, .perSocket, .repeated, .single]) ?? .shared
    }

    // MARK: Time

    func after(_ delay: SimTime, _ body: @escaping () -> Void) {
        events.add(at: now + max(0, delay), body)
    }

    func at(_ time: SimTime, _ body: @escaping () -> Void) {
        events.add(at: max(now, time), body)
    }

    /// Runs until `end`, or until an invariant is broken.
    package func run(until end: SimTime) {
        while violation == nil, let next = events.nextTime, next <= end,
            let event = events.removeFirst()
        {
            now = event.at
            eventCount += 1
            event.body()
        }
        if violation == nil { now = max(now, end) }
    }

    /// Forgets what is still to come, and with it every reference of an event to this world.
    func end() {
        events = EventQueue()
        interceptWrite = nil
        delayRead = nil
        failItem = nil
        onAction = nil
        delayMessage = nil
    }

    // MARK: Reports

    func broken(_ invariant: Int, _ text: @autoclosure () -> String) {
        guard violation == nil else { return }
        violation = Violation(invariant: invariant, at: now, text: text())
        note("VIOLATION \(violation.map(String.init(describing:)) ?? "")")
    }

    func note(_ text: @autoclosure () -> String) {
        guard isTracing else { return }
        let seconds = String(Double(now / 1000) / 1000)
        trace.append(
            String(repeating: " ", count: max(0, 8 - seconds.count)) + seconds + " " + text())
    }

    func saw(_ transition: String) {
        activeFaults.removeAll { $0.until < now }
        coverage.saw(transition, under: activeFaults.map(\.name))
    }

    // MARK: Peers

    /// Carries a message between two places: late, lost, twice, or not at all.
    func send(_ message: PeerMessage, from: Int, to address: String) {
        guard let target = places.first(where: { $0.address == address }) else { return }
        let isCall = message.isCall
        if !isHealed, random.chance(configuration.messageLossPermille) { return }
        let isTwice = !isHealed && !isCall && random.chance(configuration.duplicatePermille)
        for _ in 0..<(isTwice ? 2 : 1) {
            var delay = random.time(500, 30 * .millisecond)
            if !isHealed, random.chance(20) { delay += random.time(0, 2 * .second) }
            delay += delayMessage?(message) ?? 0
            after(delay) { [unowned self] in
                guard !peerCuts.contains(PeerCut(from: from, to: target.index)) else { return }
                target.process?.soon { $0.handle(.received(message)) }
            }
        }
    }
}

extension PeerMessage {
    /// Calls travel once: repeating them is not the network's to do.
    var isCall: Bool {
        switch self {
        case .call, .result, .notOwner: true
        default: false
        }
    }
}

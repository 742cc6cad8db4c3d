import ManagerCore

/// Asks for changes of records, one at a time for each name, and remembers what it was promised.
final class Clients {
    /// What a name may hold: `nil` revision means no live record.
    private struct Name {
        /// The last change that was acknowledged.
        var acked: UInt64?
        var isAckedLive = false
        /// Asked for since then, and neither acknowledged nor refused.
        var uncertain: [(revision: UInt64, isLive: Bool)] = []
        var outstanding: CallToken?
        var change: RecordChange?
    }

    private var names: [String: Name] = [:]
    private var lastNumber: UInt64 = 0
    private(set) var ackedCount = 0
    private(set) var askedCount = 0
    /// Names that are created and then left alone, so that some records are idle.
    var leavesAlone = false

    func start(_ world: World) {
        for name in world.remotes.keys.sorted() {
            world.after(world.random.time(5 * .second, 12 * .second)) { [unowned self] in
                ask(name, world)
            }
        }
        next(world)
    }

    private func next(_ world: World) {
        world.after(world.random.time(0, world.configuration.clientPause * 2)) { [unowned self] in
            if let name = world.random.pick(world.remotes.keys.sorted()) { ask(name, world) }
            next(world)
        }
    }

    private func ask(_ name: String, _ world: World) {
        var state = names[name, default: Name()]
        guard state.outstanding == nil,
            let place = world.random.pick(world.places.filter { $0.process?.isPaused == false }),
            let process = place.process
        else { return }
        lastNumber += 1
        askedCount += 1
        let isLive = state.uncertain.last?.isLive ?? state.isAckedLive
        let kind: RecordChange.Kind
        if !isLive || (!state.uncertain.isEmpty && world.random.chance(400)) {
            kind = .create
        } else {
            kind = world.random.chance(150) ? .delete : .change
        }
        if kind == .change && world.isHealed && world.random.chance(800) { return }
        let token = CallToken(origin: place.address, number: lastNumber)
        let change = RecordChange(
            name: name, kind: kind, revision: lastNumber, base: base(of: name, world))
        state.outstanding = token
        state.change = change
        names[name] = state
        world.note("client asks \(process): \(kind) \(name) r\(lastNumber)")
        process.handle(.called(token, change))
        world.after(20 * .second) { [unowned self] in answered(token, .unavailable, world) }
    }

    /// What is in the store now: a member that works out a change reads it there.
    private func base(of name: String, _ world: World) -> RecordChange.Base? {
        guard world.configuration.rules.changesNameTheirBase else { return nil }
        guard case .record(let record)? = world.store.value(.record(name)) else { return .absent }
        return RecordChange.Base(uid: record.uid, revision: record.revision)
    }

    func answered(_ token: CallToken, _ result: CallResult, _ world: World) {
        guard let (name, _) = names.first(where: { $0.value.outstanding == token }),
            var state = names[name], let change = state.change
        else { return }
        state.outstanding = nil
        world.note("client is answered: \(name) r\(change.revision) \(result)")
        switch result {
        case .done:
            ackedCount += 1
            state.acked = change.revision
            state.isAckedLive = change.kind != .delete
            state.uncertain = []
        case .refused: break
        case .unavailable: state.uncertain.append((change.revision, change.kind != .delete))
        }
        names[name] = state
    }

    /// Whether a name may hold this live revision, or nothing.
    func allows(_ name: String, _ revision: UInt64?) -> Bool {
        guard let state = names[name] else { return revision == nil }
        if state.isAckedLive ? state.acked == revision : revision == nil { return true }
        if let change = state.change, state.outstanding != nil {
            if change.kind == .delete ? revision == nil : revision == change.revision {
                return true
            }
        }
        return state.uncertain.contains { $0.isLive ? $0.revision == revision : revision == nil }
    }

    func expected(_ name: String) -> String {
        guard let state = names[name] else { return "nothing" }
        return "acked \(state.isAckedLive ? "r\(state.acked ?? 0)" : "absent"), "
            + "uncertain \(state.uncertain.map { $0.isLive ? "r\($0.revision)" : "absent" })"
    }
}

package import ManagerCore
package import Reconciler
import Spec
import Synchronization

/// The fleet as the reconcile loop sees it, with sockets that are only state machines.
///
/// Strict: a dial while a socket exists is a violation, and so is a call for a name that is not
/// there. Dials stay under way until the test ends them, or end at once (``opensAtOnce``).
package final class RecordingControl: ConnectionControl {
    package enum Call: Sendable, Hashable {
        case open(String, generation: Int64)
        case reopen(String, PlanStep.ReopenReason)
        case update(String, generation: Int64)
        case close(String)
        case release(String)
    }

    private struct Entry {
        var uid: ConnectionUID
        var generation: Int64
        var machine: ConnectionStateMachine
    }

    private struct State {
        /// Shown as dialling until the dial begins or is off.
        var expected: [String: DesiredConnection] = [:]
        var entries: [String: Entry] = [:]
        var calls: [Call] = []
        var violations: [String] = []
        var opensAtOnce = true
        var closesAtOnce = true
        var isMuted = false
        var dialing = 0
        var mostDialing = 0
        var generator = SplitMix64(seed: 7)
        var onChange: (@Sendable (String) -> Void)?
    }

    private let state = Mutex(State())
    private let clock: ManualClock

    package init(clock: ManualClock) {
        self.clock = clock
    }

    // MARK: Control of the world

    /// Told of each change, unless ``isMuted``.
    package func onChange(_ body: @escaping @Sendable (String) -> Void) {
        state.withLock { $0.onChange = body }
    }

    /// A dial is open as soon as it begins.
    package var opensAtOnce: Bool {
        get { state.withLock { $0.opensAtOnce } }
        set { state.withLock { $0.opensAtOnce = newValue } }
    }

    /// A close is done as soon as it is asked for.
    package var closesAtOnce: Bool {
        get { state.withLock { $0.closesAtOnce } }
        set { state.withLock { $0.closesAtOnce = newValue } }
    }

    /// Events are lost.
    package var isMuted: Bool {
        get { state.withLock { $0.isMuted } }
        set { state.withLock { $0.isMuted = newValue } }
    }

    /// A socket nobody asked the loop for.
    package func plant(_ desired: DesiredConnection) {
        state.withLock { state in
            var machine = ConnectionStateMachine(policy: desired.spec.reconnect)
            _ = machine.dialStarted(dialRevision: desired.dialRevision)
            _ = machine.opened(now: clock.now)
            machine.subscribed()
            state.entries[desired.name] = Entry(
                uid: desired.uid, generation: desired.generation, machine: machine)
        }
    }

    /// The dial under way opens.
    package func dialOpens(_ name: String) {
        change(name) { state, entry in
            let isDialing = if case .dialing = entry.machine.state { true } else { false }
            if isDialing { state.dialing -= 1 }
            if !entry.machine.opened(now: clock.now) {
                // Called off meanwhile: the socket goes at once.
                entry.machine.closed(
                    close(.local), failure: nil, now: clock.now, using: &state.generator)
            }
        }
    }

    /// The dial under way fails.
    package func dialFails(_ name: String, class failureClass: FailureClass = .transient) {
        change(name) { state, entry in
            if case .dialing = entry.machine.state { state.dialing -= 1 }
            entry.machine.dialFailed(
                failure(failureClass), now: clock.now, using: &state.generator)
        }
    }

    /// The socket is lost, or the close that was asked for is done.
    package func socketCloses(_ name: String) {
        change(name) { state, entry in
            entry.machine.closed(
                close(.remote), failure: nil, now: clock.now, using: &state.generator)
        }
    }

    private func failure(_ failureClass: FailureClass) -> LinkFailure {
        LinkFailure(
            failureClass: failureClass, code: "refused", message: "nobody listens",
            at: clock.wallTime)
    }

    private func close(_ side: LinkClose.Side) -> LinkClose {
        LinkClose(code: 1000, reason: "", by: side, at: clock.wallTime)
    }

    private func change(_ name: String, _ body: (inout State, inout Entry) -> Void) {
        state.withLock { state in
            guard var entry = state.entries[name] else { return }
            body(&state, &entry)
            state.entries[name] = entry
        }
        tell(name)
    }

    private func tell(_ name: String) {
        let onChange = state.withLock { $0.isMuted ? nil : $0.onChange }
        onChange?(name)
    }

    // MARK: Facts

    package var calls: [Call] { state.withLock { $0.calls } }
    package var violations: [String] { state.withLock { $0.violations } }
    /// The most dials that were under way at one time.
    package var mostDialing: Int { state.withLock { $0.mostDialing } }
    package var dialingNames: [String] {
        names { if case .dialing = $0 { true } else { false } }
    }
    package var openNames: [String] {
        names { if case .open = $0 { true } else { false } }
    }

    private func names(_ isWanted: (ConnectionStateMachine.State) -> Bool) -> [String] {
        state.withLock { state in
            state.entries.filter { isWanted($0.value.machine.state) }.map(\.key).sorted()
        }
    }

    package func calls(of name: String) -> [Call] {
        calls.filter { call in
            switch call {
            case .open(let other, _), .reopen(let other, _), .update(let other, _),
                .close(let other), .release(let other):
                other == name
            }
        }
    }

    package func dials(of name: String) -> Int {
        calls(of: name).count { if case .open = $0 { true } else { false } }
    }
}

// MARK: The port

extension RecordingControl {
    package func observe(_ name: String) -> ObservedConnection? {
        state.withLock { state in
            if let expected = state.expected[name] {
                var observed = ObservedConnection(
                    name: name, uid: expected.uid, generation: expected.generation)
                observed.state = .dialing(.init(dialRevision: expected.dialRevision))
                return observed
            }
            guard let entry = state.entries[name] else { return nil }
            var observed = ObservedConnection(
                name: name, uid: entry.uid, generation: entry.generation)
            observed.state = entry.machine.state
            observed.hasBeenOpen = entry.machine.hasBeenOpen
            observed.attempt = entry.machine.attempt
            observed.isExhausted = entry.machine.isExhausted
            observed.lastFailure = entry.machine.lastFailure
            observed.lastClose = entry.machine.lastClose
            return observed
        }
    }

    package func observedNames() -> [String] {
        state.withLock { Array($0.entries.keys) }
    }

    package func forEachObserved(_ body: (ArraySlice<ObservedRow>) -> Void) {
        body(observed.map { ObservedRow(name: $0.name, facts: ObservedFacts($0)) }[...])
    }

    package var observed: [ObservedConnection] { observedNames().compactMap { observe($0) } }

    package func expectDial(_ desired: DesiredConnection) {
        state.withLock { $0.expected[desired.name] = desired }
    }

    package func dialIsOff(_ name: String) {
        state.withLock { $0.expected[name] = nil }
    }

    package func open(_ desired: DesiredConnection) {
        state.withLock { state in
            state.expected[desired.name] = nil
            state.calls.append(.open(desired.name, generation: desired.generation))
            var entry =
                state.entries[desired.name]
                ?? Entry(
                    uid: desired.uid, generation: desired.generation,
                    machine: ConnectionStateMachine(policy: desired.spec.reconnect))
            if entry.uid != desired.uid {
                state.violations.append("\(desired.name) is dialled under another uid")
            }
            guard entry.machine.dialStarted(dialRevision: desired.dialRevision) else {
                state.violations.append("\(desired.name) would have two sockets")
                return
            }
            entry.machine.policyChanged(desired.spec.reconnect)
            entry.generation = desired.generation
            if state.opensAtOnce {
                _ = entry.machine.opened(now: clock.now)
            } else {
                state.dialing += 1
                state.mostDialing = max(state.mostDialing, state.dialing)
            }
            state.entries[desired.name] = entry
        }
        tell(desired.name)
    }

    package func reopen(_ desired: DesiredConnection, cause: PlanStep.ReopenReason) {
        begin(
            .reopen(desired.name, cause), desired.name,
            cause == .edited ? .reopen([]) : .removed)
    }

    package func close(_ name: String) {
        begin(.close(name), name, .removed)
    }

    private func begin(_ call: Call, _ name: String, _ cause: ConnectionStateMachine.CloseCause) {
        state.withLock { state in
            state.calls.append(call)
            guard var entry = state.entries[name] else {
                state.violations.append("\(name) is closed but not there")
                return
            }
            let wasDialing = if case .dialing = entry.machine.state { true } else { false }
            if wasDialing { state.dialing -= 1 }
            guard entry.machine.closeStarted(cause) else {
                state.violations.append("\(name) is closed without a socket")
                return
            }
            if state.closesAtOnce {
                entry.machine.closed(
                    close(.local), failure: nil, now: clock.now, using: &state.generator)
            }
            state.entries[name] = entry
        }
        tell(name)
    }

    package func update(_ desired: DesiredConnection) {
        state.withLock { state in
            state.calls.append(.update(desired.name, generation: desired.generation))
            guard var entry = state.entries[desired.name] else {
                state.violations.append("\(desired.name) is updated but not there")
                return
            }
            entry.generation = desired.generation
            entry.machine.policyChanged(desired.spec.reconnect)
            if entry.machine.isExhausted { entry.machine.attemptsForgiven(now: clock.now) }
            state.entries[desired.name] = entry
        }
        tell(desired.name)
    }

    package func release(_ name: String) {
        state.withLock { state in
            state.calls.append(.release(name))
            guard let entry = state.entries.removeValue(forKey: name) else {
                state.violations.append("\(name) is released but not there")
                return
            }
            if entry.machine.hasSocket {
                state.violations.append("\(name) is released with a socket")
            }
        }
        tell(name)
    }
}

internal import GRPCCore
internal import ManagerAPI
private import Synchronization

/// Watches applied connections until they are where they should be, one has failed for good, or time
/// is up.
struct WaitRunner: Sendable {
    /// More names than these are asked for by their apply set.
    private static let maxNames = 200
    private static let redrawInterval = Duration.milliseconds(200)

    let session: Session
    let server: ServerConnection
    let goal: WaitGoal
    let timeout: Duration
    /// Told of every change, in the order of the server.
    var observe: (@Sendable (Wsm_V1_WatchChange) -> Void)?

    private enum Event: Sendable {
        case decided, timedOut, streamEnded
    }

    /// What there is to wait for after an apply.
    static func machine(goal: WaitGoal, after outcome: ApplyOutcome) -> WaitMachine {
        var connections: [String: Int64] = [:]
        var connectionSets: Set<String> = []
        var explicitSets: Set<String> = []
        for result in outcome.results where result.isApplied {
            if result.kind == "ConnectionSet" {
                connectionSets.insert(result.name)
            } else {
                connections[result.name] = result.generation
                explicitSets.insert(result.connectionSet)
            }
        }
        return WaitMachine(
            goal: goal, connections: connections,
            connectionSets: connectionSets.subtracting(explicitSets))
    }

    /// - Parameter set: The apply set that was applied.
    /// - Throws: What the call throws, and a ``CommandFailure`` where the server ends the watch.
    func run(_ machine: WaitMachine, set: String) async throws -> WaitOutcome {
        guard !machine.isEmpty else {
            return WaitOutcome(end: .reached, machine: machine, timeout: timeout)
        }
        let state = WaitState(machine)
        let printer = ProgressPrinter(session)
        defer { printer.hide() }
        let event = try await firstEvent(request(machine, set), state, printer)
        let final = state.machine
        switch event {
        case .decided:
            return WaitOutcome(
                end: final.verdict == .failed ? .failed : .reached, machine: final, timeout: timeout
            )
        case .timedOut:
            return WaitOutcome(end: .timedOut, machine: final, timeout: timeout)
        case .streamEnded:
            throw CommandFailure(
                .unreachable,
                "the server at \(server.address) ended the watch: \(final.progressText)")
        }
    }

    private func request(_ machine: WaitMachine, _ set: String) -> Wsm_V1_WatchRequest {
        var request = Wsm_V1_WatchRequest()
        request.kind = "Connection"
        if machine.names.count <= Self.maxNames, machine.isExplicit {
            request.names = machine.names
        } else {
            request.set = set
        }
        return request
    }

    private func firstEvent(
        _ request: Wsm_V1_WatchRequest, _ state: WaitState, _ printer: ProgressPrinter
    ) async throws -> Event {
        try await withThrowingTaskGroup(of: Event?.self) { group in
            group.addTask { try await watch(request, state) }
            group.addTask {
                try await session.console.sleep(timeout)
                return .timedOut
            }
            group.addTask {
                while !Task.isCancelled {
                    // Before the first answer nothing is known of them.
                    if state.hasHeard { printer.show(state.machine.progressText) }
                    try? await Task.sleep(for: Self.redrawInterval)
                }
                return nil
            }
            defer { group.cancelAll() }
            while let event = try await group.next() {
                if let event { return event }
            }
            throw CancellationError()
        }
    }

    private func watch(_ request: Wsm_V1_WatchRequest, _ state: WaitState) async throws -> Event {
        try await server.orchestrator.watch(
            request, options: ServerConnection.options()
        ) { response in
            for try await message in response.messages {
                if let observe { message.changes.forEach(observe) }
                if state.received(message) != .waiting { return .decided }
            }
            return .streamEnded
        }
    }
}

/// The machine, shared by the one who feeds it and the one who shows it.
private final class WaitState: Sendable {
    private let storage: Mutex<WaitMachine>
    private let heard = Mutex(false)

    init(_ machine: WaitMachine) {
        storage = Mutex(machine)
    }

    var machine: WaitMachine { storage.withLock { $0 } }

    /// The server has told of something.
    var hasHeard: Bool { heard.withLock { $0 } }

    func received(_ response: Wsm_V1_WatchResponse) -> WaitMachine.Verdict {
        heard.withLock { $0 = true }
        return storage.withLock { machine in
            for change in response.changes { machine.received(change) }
            return machine.verdict
        }
    }
}

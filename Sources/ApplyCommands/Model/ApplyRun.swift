internal import GRPCCore
internal import ManagerAPI
internal import Spec
private import Synchronization

/// One Apply or Plan call, whose results are kept as they come, so that an interruption can tell them.
final class ApplyRun: Sendable {
    private enum Input: Sendable {
        case documents(ApplyStream)
        case rollback(Wsm_V1_RollbackRequest)
    }

    private let session: Session
    private let input: Input
    private let storage: Mutex<ApplyOutcome>

    private init(_ input: Input, set: String, isDryRun: Bool, session: Session) {
        self.input = input
        self.session = session
        storage = Mutex(ApplyOutcome(set: set, isDryRun: isDryRun))
    }

    /// - Throws: A ``CommandFailure`` where an object is too large to travel.
    convenience init(
        _ objects: [CompiledObject], _ options: ApplySetOptions, dryRun: Bool, session: Session
    ) throws {
        var header = Wsm_V1_ApplyHeader()
        header.set = options.set
        header.dryRun = dryRun
        header.prune = options.prune
        header.allowEmpty = options.allowEmpty
        header.maxPrune = options.maxPrune ?? ""
        header.adopt = options.adopt
        header.appliedBy = session.console.identity
        header.fieldManager = options.guards.fieldManager ?? ""
        header.forceConflicts = options.guards.forceConflicts
        if let revision = options.guards.ifRevision { header.ifRevision = revision }
        self.init(
            .documents(try ApplyStream(objects, header: header)), set: options.set,
            isDryRun: dryRun, session: session)
    }

    /// Exactly what was planned, or nothing.
    convenience init(_ plan: SavedPlan, session: Session) {
        var header = plan.header
        header.appliedBy = session.console.identity
        header.ifRevision = plan.baseRevision
        header.expectPlan = plan.digest
        self.init(
            .documents(ApplyStream(plan.documents, header: header)), set: header.set,
            isDryRun: false, session: session)
    }

    convenience init(_ request: Wsm_V1_RollbackRequest, session: Session) {
        self.init(
            .rollback(request), set: request.set, isDryRun: request.dryRun, session: session)
    }

    /// What is sent, for a plan that is to be saved.
    var stream: ApplyStream? {
        if case .documents(let stream) = input { stream } else { nil }
    }

    /// What has come so far.
    var outcome: ApplyOutcome { storage.withLock { $0 } }

    func apply(on server: ServerConnection) async throws -> ApplyOutcome {
        try await collect { received in
            switch self.input {
            case .documents(let stream):
                try await stream.apply(on: server, received: received)
            case .rollback(let request):
                try await server.orchestrator.rollback(
                    request, options: ServerConnection.options()
                ) { response in
                    for try await message in response.messages { received(message) }
                }
            }
        }
    }

    func plan(on server: ServerConnection) async throws -> ApplyOutcome {
        try await collect { try await self.stream?.plan(on: server, received: $0) }
    }

    private func collect(
        _ call: (@escaping @Sendable (Wsm_V1_ApplyResponse) -> Void) async throws -> Void
    ) async throws -> ApplyOutcome {
        let printer = ProgressPrinter(session)
        defer { printer.hide() }
        if session.console.errorIsTerminal, let total = stream?.documents.count {
            printer.show("sending \(total.counted("object"))")
        }
        try await call { response in
            let count = self.storage.withLock { outcome in
                outcome.received(response)
                return outcome.results.count
            }
            if self.session.console.errorIsTerminal {
                printer.show("applying: \(count.counted("result"))")
            }
        }
        let outcome = outcome
        guard outcome.summary != nil else {
            throw CommandFailure(.unreachable, "the server ended its answer before the summary")
        }
        return outcome
    }
}

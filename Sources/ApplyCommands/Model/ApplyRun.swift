internal import GRPCCore
internal import ManagerAPI
internal import Spec
private import Synchronization

/// One Apply or Plan call, whose results are kept as they come, so that an interruption can tell them.
final class ApplyRun: Sendable {
    private let session: Session
    private let stream: ApplyStream
    private let storage: Mutex<ApplyOutcome>

    /// - Throws: A ``CommandFailure`` where an object is too large to travel.
    init(
        _ objects: [CompiledObject], _ options: ApplySetOptions, dryRun: Bool, session: Session
    ) throws {
        self.session = session
        var header = Wsm_V1_ApplyHeader()
        header.set = options.set
        header.dryRun = dryRun
        header.prune = options.prune
        header.allowEmpty = options.allowEmpty
        header.maxPrune = options.maxPrune ?? ""
        header.adopt = options.adopt
        header.appliedBy = session.console.identity
        stream = try ApplyStream(objects, header: header)
        storage = Mutex(ApplyOutcome(set: options.set, isDryRun: dryRun))
    }

    /// What has come so far.
    var outcome: ApplyOutcome { storage.withLock { $0 } }

    func apply(on server: ServerConnection) async throws -> ApplyOutcome {
        try await collect { try await self.stream.apply(on: server, received: $0) }
    }

    func plan(on server: ServerConnection) async throws -> ApplyOutcome {
        try await collect { try await self.stream.plan(on: server, received: $0) }
    }

    private func collect(
        _ call: (@escaping @Sendable (Wsm_V1_ApplyResponse) -> Void) async throws -> Void
    ) async throws -> ApplyOutcome {
        let printer = ProgressPrinter(session)
        let total = stream.documents.count
        defer { printer.hide() }
        if session.console.errorIsTerminal {
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

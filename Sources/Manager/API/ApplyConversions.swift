import Access
import ManagerAPI
import ManagerCore
import Spec

extension ApplyOptions {
    /// - Throws: ``ManagerError`` naming the field.
    init(_ header: Wsm_V1_ApplyHeader) throws {
        self.init(set: header.set.isEmpty ? "default" : header.set)
        if let problem = ObjectName.problem(set) {
            throw ManagerError(.invalidArgument, "set: \(problem)")
        }
        guard let limit = PruneLimit(header.maxPrune) else {
            throw ManagerError(
                .invalidArgument,
                "max_prune is \(header.maxPrune): a number or a percentage (20%) is wanted")
        }
        prune = header.prune
        allowEmpty = header.allowEmpty
        maxPrune = limit
        adopt = header.adopt
        appliedBy = String(Caller.attribution(of: header.appliedBy).prefix(256))
    }
}

extension Wsm_V1_ObjectResult {
    init(_ result: ApplyResult, cutsSocket: Bool) {
        self.init()
        kind = result.kind.rawValue
        name = result.name
        action = Wsm_V1_ResultAction(result.action)
        edits = result.changes.map(Wsm_V1_FieldEdit.init)
        effect = result.effect.word
        self.cutsSocket = cutsSocket
        message = result.message
        connectionSet = result.connectionSet ?? ""
        uid = result.uid
        generation = result.generation
        origin = result.origin
    }
}

extension Wsm_V1_ResultAction {
    init(_ action: ApplyResult.Action) {
        self =
            switch action {
            case .created: .created
            case .configured: .configured
            case .unchanged: .unchanged
            case .pruned: .pruned
            case .adopted: .adopted
            case .conflict: .conflict
            case .protected: .protected
            }
    }
}

extension Wsm_V1_FieldEdit {
    init(_ change: FieldChange) {
        self.init()
        path = change.path
        if let value = change.old { old = value }
        if let value = change.new { new = value }
        effect = change.effect.word
    }
}

extension Wsm_V1_ApplySummary {
    init(_ outcome: ApplyOutcome, set: String, cutSockets: Int, warnings: [String]) {
        self.init()
        self.set = set
        created = Int32(clamping: outcome.count(.created))
        configured = Int32(clamping: outcome.count(.configured))
        unchanged = Int32(clamping: outcome.count(.unchanged))
        pruned = Int32(clamping: outcome.count(.pruned))
        adopted = Int32(clamping: outcome.count(.adopted))
        conflicts = Int32(clamping: outcome.count(.conflict))
        protected = Int32(clamping: outcome.count(.protected))
        self.cutSockets = Int32(clamping: cutSockets)
        revision = outcome.revision
        self.warnings = warnings
    }
}

import Access
import ManagerAPI
import ManagerCore
import Spec

extension ApplyOptions {
    /// Of the name of who applies; it stands in every revision.
    static let longestIdentity = 256

    /// - Throws: ``ManagerError`` naming the field.
    init(_ header: Wsm_V1_ApplyHeader) throws {
        self.init(set: try Self.set(header.set))
        prune = header.prune
        allowEmpty = header.allowEmpty
        maxPrune = try Self.maxPrune(header.maxPrune)
        adopt = header.adopt
        appliedBy = Self.identity(header.appliedBy)
        fieldManager = try Self.fieldManager(header.fieldManager)
        forceConflicts = header.forceConflicts
        ifRevision = header.hasIfRevision ? try Self.revision(header.ifRevision) : nil
        expectPlan = header.expectPlan
    }

    /// A rollback is an apply that says all there is to be.
    ///
    /// - Throws: ``ManagerError`` naming the field.
    init(_ request: Wsm_V1_RollbackRequest) throws {
        self.init(set: try Self.set(request.set))
        prune = true
        allowEmpty = true
        maxPrune = try Self.maxPrune(request.maxPrune)
        appliedBy = Self.identity(request.appliedBy)
        fieldManager = try Self.fieldManager(request.fieldManager)
        forceConflicts = request.forceConflicts
        ifRevision = request.hasIfRevision ? try Self.revision(request.ifRevision) : nil
        isDryRun = request.dryRun
        rollbackTo = request.to
    }

    /// Who applies: the caller that is known, and what it says of itself.
    static func identity(_ claimed: String) -> String {
        String(Caller.attribution(of: claimed).prefix(longestIdentity))
    }

    /// The name of a set; empty is the default one.
    static func set(_ name: String) throws -> String {
        let set = name.isEmpty ? "default" : name
        if let problem = ObjectName.problem(set) {
            throw ManagerError(.invalidArgument, "set: \(problem)")
        }
        return set
    }

    private static func maxPrune(_ text: String) throws -> PruneLimit {
        guard let limit = PruneLimit(text) else {
            throw ManagerError(
                .invalidArgument,
                "max_prune is \(text): a number or a percentage (20%) is wanted")
        }
        return limit
    }

    private static func fieldManager(_ name: String) throws -> String {
        guard !name.isEmpty else { return FieldManagers.standard }
        if let problem = FieldManagers.problem(name) {
            throw ManagerError(.invalidArgument, "field_manager: \(problem)")
        }
        return name
    }

    private static func revision(_ number: Int64) throws -> Int64 {
        guard number >= 0 else {
            throw ManagerError(
                .invalidArgument, "if_revision is \(number): it must not be negative")
        }
        return number
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
        fieldConflicts = result.fieldConflicts.map { conflict in
            var field = Wsm_V1_FieldConflict()
            field.path = conflict.path
            field.manager = conflict.owner.manager
            field.since = conflict.owner.since.nanosecondsSinceEpoch / 1_000_000_000
            return field
        }
    }

    /// Bytes of the message, nearly: what decides how many go into one.
    var approximateBytes: Int {
        edits.reduce(256 + name.utf8.count + message.utf8.count + origin.utf8.count) {
            $0 + $1.old.utf8.count + $1.new.utf8.count + 64
        } + fieldConflicts.count * 128
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
    /// Characters of a value that are shown: an `onOpen` may have megabytes, and two of them would
    /// not fit into one message.
    static let longestValue = 65_536

    init(_ change: FieldChange) {
        self.init()
        path = change.path
        if let value = change.old { old = Self.shown(value) }
        if let value = change.new { new = Self.shown(value) }
        effect = change.effect.word
    }

    private static func shown(_ value: String) -> String {
        guard value.utf8.count > longestValue else { return value }
        return value.prefix(longestValue / 4) + "… (\(value.utf8.count) bytes)"
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
        baseRevision = outcome.baseRevision
        planDigest = outcome.planDigest
        self.warnings = warnings
    }
}

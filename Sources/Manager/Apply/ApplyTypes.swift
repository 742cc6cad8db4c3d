package import ManagerCore
package import Spec

/// How an apply is to be made.
package struct ApplyOptions: Sendable, Hashable {
    package var set: String
    package var prune = false
    package var allowEmpty = false
    package var maxPrune = PruneLimit.standard
    package var adopt = false
    /// For the set's history: user@host.
    package var appliedBy = ""
    /// Under what name the fields are managed.
    package var fieldManager = FieldManagers.standard
    /// Takes over fields that another manager gave another value.
    package var forceConflicts = false
    /// The revision the set must be at; 0: never applied.
    package var ifRevision: Int64?
    /// The digest of the plan that this must come to; empty asks nothing.
    package var expectPlan = ""
    /// Only asked what would happen: the draft will be thrown away.
    package var isDryRun = false
    /// The revision that this goes back to: the input is all there is to be.
    package var rollbackTo: Int64?

    package init(set: String) {
        self.set = set
    }
}

/// Most objects one prune may delete.
package enum PruneLimit: Sendable, Hashable {
    /// A fifth of what the set has, but always at least ``standardMinimum``.
    case standard
    case count(Int)
    case percent(Int)

    package static let standardMinimum = 5
    package static let standardPercent = 20

    /// Reads `--max-prune`: a number, or a percentage with `%`; empty is ``standard``.
    package init?(_ text: String) {
        if text.isEmpty {
            self = .standard
        } else if text.hasSuffix("%"), let percent = Int(text.dropLast()),
            (0...100).contains(percent)
        {
            self = .percent(percent)
        } else if let count = Int(text), count >= 0 {
            self = .count(count)
        } else {
            return nil
        }
    }

    func allowed(of total: Int) -> Int {
        switch self {
        case .standard: max(Self.standardMinimum, total * Self.standardPercent / 100)
        case .count(let count): count
        case .percent(let percent): total * percent / 100
        }
    }
}

/// A prune that would delete too much; nothing was changed.
package struct PruneRefused: Error, CustomStringConvertible {
    package var description: String
}

/// The set, or something of it, is not as the caller thought; nothing was changed.
package struct ApplyAborted: Error, CustomStringConvertible {
    package var description: String
}

/// What became, or would become, of one object.
package struct ApplyResult: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
        case created, configured, unchanged, pruned, adopted, conflict, protected
    }

    package var kind: ObjectKind
    package var name: String
    package var action: Action
    package var changes: [FieldChange] = []
    /// For `conflict` and `protected`: the sentence for the operator.
    package var message = ""
    package var connectionSet: String?
    package var uid = ""
    package var generation: Int64 = 0
    /// 0 for what is created.
    package var generationBefore: Int64 = 0
    /// For `conflict`: the fields that others manage.
    package var fieldConflicts: [FieldMerge.Conflict] = []
    package var origin = ""
    /// What the change does to a live socket.
    package var effect = EditEffect.keep

    package init(kind: ObjectKind, name: String, action: Action) {
        self.kind = kind
        self.name = name
        self.action = action
    }
}

/// The whole answer to one apply.
package struct ApplyOutcome: Sendable, Hashable {
    package var results: [ApplyResult] = []
    /// Of the set after this, and before.
    package var revision: Int64 = 0
    package var baseRevision: Int64 = 0
    /// See ``PlanDigest``.
    package var planDigest = ""

    package init() {}

    package func count(_ action: ApplyResult.Action) -> Int {
        results.count { $0.action == action }
    }

    package var changesNothing: Bool {
        results.allSatisfy {
            switch $0.action {
            case .unchanged, .conflict, .protected: true
            case .created, .configured, .pruned, .adopted: false
            }
        }
    }
}

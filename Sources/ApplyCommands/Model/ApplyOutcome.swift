internal import ManagerAPI
internal import Spec

/// What Apply or Plan answered, as far as it has come.
struct ApplyOutcome: Sendable {
    /// What happens, or would happen, to one object.
    typealias Result = Wsm_V1_ObjectResult

    var set: String
    /// Nothing was written: a dry run or a plan.
    var isDryRun: Bool
    /// The input was compiled here and no server was asked.
    private(set) var isOfClient = false
    private(set) var results: [Result] = []
    private(set) var summary: Wsm_V1_ApplySummary?

    init(set: String, isDryRun: Bool) {
        self.set = set
        self.isDryRun = isDryRun
    }

    /// What a dry run of the client can say: every object, members too, without what becomes of it.
    init(compiled objects: [CompiledObject], set: String) {
        self.init(set: set, isDryRun: true)
        isOfClient = true
        for object in objects {
            results.append(
                Result(compiled: object.kind, object.metadata.name, origin: object.position))
            guard case .connectionSet(let manifest) = object.body else { continue }
            results += manifest.members.map { member in
                var result = Result(
                    compiled: .connection, member.metadata.name, origin: object.position)
                result.connectionSet = manifest.metadata.name
                return result
            }
        }
        summary = Wsm_V1_ApplySummary()
    }

    mutating func received(_ response: Wsm_V1_ApplyResponse) {
        switch response.part {
        case .results(let chunk): results += chunk.results
        case .summary(let summary): self.summary = summary
        case nil: break
        }
    }

    /// By the summary once it is here, before that by what has come.
    func count(_ action: Wsm_V1_ResultAction) -> Int {
        guard let summary else { return results.count { $0.action == action } }
        switch action {
        case .created: return Int(summary.created)
        case .configured: return Int(summary.configured)
        case .unchanged: return Int(summary.unchanged)
        case .pruned: return Int(summary.pruned)
        case .adopted: return Int(summary.adopted)
        case .conflict: return Int(summary.conflicts)
        case .failed: return Int(summary.failed)
        case .protected: return Int(summary.protected)
        case .unspecified, .UNRECOGNIZED: return 0
        }
    }

    /// Objects whose desired state is another one now.
    var changed: Int {
        count(.created) + count(.configured) + count(.pruned) + count(.adopted)
    }

    /// Changed objects whose live socket is cut and opened again.
    var reconnects: Int {
        results.count { $0.action == .configured && $0.cutsSocket }
    }

    var hasDifferences: Bool { changed > 0 }

    /// The exit code of a run that came to its end.
    var status: CommandStatus {
        let conflicts = count(.conflict)
        guard conflicts + count(.failed) > 0 else { return .done }
        if changed > 0, !isDryRun { return .partial }
        return conflicts > 0 ? .conflict : .invalid
    }

    /// `12 created, 3 configured (1 reconnect), 985 unchanged, 2 pruned, 0 failed`; what seldom
    /// happens is named only when it did.
    var summaryLine: String {
        if isOfClient {
            return "\(results.count.counted("object")) compiled (dry run of the client)"
        }
        let reconnects = reconnects > 0 ? " (\(reconnects.counted("reconnect")))" : ""
        var parts = ["\(count(.created)) created", "\(count(.configured)) configured\(reconnects)"]
        parts.append("\(count(.unchanged)) unchanged")
        if count(.adopted) > 0 { parts.append("\(count(.adopted)) adopted") }
        parts.append("\(count(.pruned)) pruned")
        if count(.protected) > 0 { parts.append("\(count(.protected)) protected") }
        if count(.conflict) > 0 { parts.append(count(.conflict).counted("conflict")) }
        parts.append("\(count(.failed)) failed")
        return parts.joined(separator: ", ") + (isDryRun ? " (dry run)" : "")
    }
}

extension Wsm_V1_ObjectResult {
    init(compiled kind: ObjectKind, _ name: String, origin: SourcePosition) {
        self.init()
        self.kind = kind.rawValue
        self.name = name
        self.origin = origin.description
    }

    /// As results print an object: `connection/btc-trades`.
    var label: String {
        "\((ObjectKind(rawValue: kind) ?? .connection).word)/\(name)"
    }

    /// The object is now as the input has it.
    var isApplied: Bool {
        switch action {
        case .created, .configured, .unchanged, .adopted: true
        default: false
        }
    }

    /// The fields whose edit asks for a new socket, or for none.
    var forcingFields: [String] {
        edits.filter { $0.effect == "reopen" || $0.effect == "close" }.map(\.path)
    }
}

extension Wsm_V1_ResultAction {
    /// The word results and machine output use.
    var word: String {
        switch self {
        case .created: "created"
        case .configured: "configured"
        case .unchanged: "unchanged"
        case .pruned: "pruned"
        case .adopted: "adopted"
        case .conflict: "conflict"
        case .failed: "failed"
        case .protected: "protected"
        case .unspecified: "compiled"
        case .UNRECOGNIZED: "unknown"
        }
    }
}

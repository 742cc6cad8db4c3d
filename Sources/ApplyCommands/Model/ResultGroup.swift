internal import ManagerAPI

/// A line of a report: one object, or many members of a ConnectionSet to which the same happens.
enum ResultGroup: Equatable {
    case one(Wsm_V1_ObjectResult)
    case members(
        of: String, action: Wsm_V1_ResultAction, cutsSockets: Bool, count: Int, fields: [String])

    /// More than so many alike are told together; so many unchanged objects are named.
    static let threshold = 10

    private struct Key: Hashable {
        var connectionSet: String
        var action: Wsm_V1_ResultAction
        var cutsSocket: Bool
        /// The fields that change, so that what is folded still says why.
        var fields: [String]

        /// `nil` for what is always told alone.
        init?(_ result: Wsm_V1_ObjectResult) {
            switch result.action {
            case .created, .configured, .pruned, .adopted, .unchanged, .unspecified: break
            default: return nil
            }
            guard !result.connectionSet.isEmpty else { return nil }
            connectionSet = result.connectionSet
            action = result.action
            cutsSocket = result.cutsSocket
            fields = result.action == .created ? [] : result.edits.map(\.path)
        }
    }

    /// Groups results in their order; a group stands where its first member stood. Unchanged objects
    /// are left out where they are many, conflicts and failures always: they are told elsewhere.
    static func groups(of results: [Wsm_V1_ObjectResult]) -> [ResultGroup] {
        var counts: [Key: Int] = [:]
        for key in results.lazy.compactMap(Key.init) { counts[key, default: 0] += 1 }
        let namesUnchanged = results.count { $0.action == .unchanged } <= threshold
        var groups: [ResultGroup] = []
        for result in results {
            switch result.action {
            case .conflict, .failed: continue
            case .unchanged where !namesUnchanged: continue
            default: break
            }
            guard let key = Key(result), let count = counts[key] else {
                if Key(result) == nil { groups.append(.one(result)) }
                continue
            }
            guard count > threshold else {
                groups.append(.one(result))
                continue
            }
            groups.append(
                .members(
                    of: key.connectionSet, action: key.action, cutsSockets: key.cutsSocket,
                    count: count, fields: key.fields))
            counts[key] = nil
        }
        return groups
    }
}

import ManagerCore

/// Which transitions were seen under which faults.
package struct Coverage: Sendable {
    package private(set) var seeds = 0
    /// Seeds in which a transition or a fault occurred at all.
    package private(set) var seedsWith: [String: Int] = [:]
    /// Fault, then transition: how often.
    package private(set) var table: [String: [String: Int]] = [:]
    private var seen: Set<String> = []

    package init() {}

    mutating func saw(_ transition: String, under faults: [String]) {
        seen.insert(transition)
        for fault in faults.isEmpty ? ["none"] : faults {
            table[fault, default: [:]][transition, default: 0] += 1
        }
    }

    mutating func began(_ fault: String) {
        seen.insert("fault \(fault)")
    }

    mutating func seedEnded() {
        seeds += 1
        for name in seen { seedsWith[name, default: 0] += 1 }
        seen.removeAll()
    }

    package mutating func merge(_ other: Coverage) {
        seeds += other.seeds
        seedsWith.merge(other.seedsWith, uniquingKeysWith: +)
        for (fault, row) in other.table {
            table[fault, default: [:]].merge(row, uniquingKeysWith: +)
        }
    }

    /// The share of seeds in which something occurred, in percent.
    package func percent(_ name: String) -> Int {
        seeds == 0 ? 0 : seedsWith[name, default: 0] * 100 / seeds
    }

    /// Rows are faults, columns transitions.
    package var report: String {
        let columns = Set(table.values.flatMap(\.keys)).sorted()
        var lines: [String] = []
        for (index, column) in columns.enumerated() {
            lines.append("  \(pad(String(index + 1), 3)) \(column): \(percent(column)) % of seeds")
        }
        let head = (1...max(1, columns.count)).map { pad(String($0), 8) }.joined()
        lines.append("  " + left("fault", 18) + head)
        for fault in table.keys.sorted() {
            let cells = columns.map { pad(String(table[fault]?[$0] ?? 0), 8) }.joined()
            lines.append("  " + left(fault, 18) + cells)
        }
        return lines.joined(separator: "\n")
    }

    private func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension ClusterAction.Counted {
    /// A transition's name in the coverage.
    var label: String? {
        switch self {
        case .fenced: "fenced"
        case .unfenced: "unfenced"
        case .woke: "woke"
        case .deposed: "deposed"
        case .storeWentBack: "store went back"
        case .noFreeSlot: "no free slot"
        case .joined: "joined"
        case .buried: "buried"
        case .claimed(_, let how): how == .takeover ? "take-over" : "claimed \(how)"
        case .adopted(_, let how): how == .handover ? "hand-over" : nil
        case .handOverBegan: "hand-over began"
        case .handOverAbandoned: "hand-over off"
        case .sealed: "sealed"
        }
    }
}

package import ManagerCore

/// Writes metrics in the Prometheus text format, version 0.0.4.
package struct MetricsText {
    package private(set) var text = ""

    package init() {}

    /// Begins a family; its samples follow.
    package mutating func begin(_ family: MetricFamily) {
        text += "# HELP \(family.name) \(Self.escaped(family.help))\n"
        text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
    }

    package mutating func sample(_ family: MetricFamily, _ values: [String], _ value: UInt64) {
        line(family.name, family.labels, values, String(value))
    }

    package mutating func sample(_ family: MetricFamily, _ values: [String], _ value: Double) {
        line(family.name, family.labels, values, Self.number(value))
    }

    /// A whole family of one number.
    package mutating func single(_ family: MetricFamily, _ value: UInt64) {
        begin(family)
        sample(family, [], value)
    }

    package mutating func single(_ family: MetricFamily, _ value: Double) {
        begin(family)
        sample(family, [], value)
    }

    package mutating func family<Labels: MetricLabels>(
        _ family: MetricFamily, _ counters: CounterFamily<Labels>
    ) {
        begin(family)
        for labels in Labels.allCases {
            sample(family, labels.values, counters.value(labels))
        }
    }

    package mutating func histogram(_ family: MetricFamily, _ histogram: DurationHistogram) {
        begin(family)
        var total: UInt64 = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            total += count
            line(
                family.name + "_bucket", ["le"], [Self.number(bound.inSeconds)], String(total))
        }
        let all = String(histogram.count)
        line(family.name + "_bucket", ["le"], ["+Inf"], all)
        line(family.name + "_sum", [], [], Self.number(histogram.sum.inSeconds))
        line(family.name + "_count", [], [], all)
    }

    private mutating func line(
        _ name: String, _ labels: [String], _ values: [String], _ value: String
    ) {
        text += name
        if !labels.isEmpty {
            let pairs = zip(labels, values).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Duration {
    fileprivate var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

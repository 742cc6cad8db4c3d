import Synchronization

/// A number that only rises. Any thread; one relaxed addition.
package final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    package init() {}

    package func add(_ number: Int = 1) {
        guard number > 0 else { return }
        count.wrappingAdd(UInt64(number), ordering: .relaxed)
    }

    package var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A counter for every value of its labels, all at zero from the start.
package struct CounterFamily<Labels: MetricLabels>: Sendable {
    private let counters: [Labels: Counter]

    package init() {
        counters = Dictionary(
            Labels.allCases.map { ($0, Counter()) }, uniquingKeysWith: { first, _ in first })
    }

    package func add(_ labels: Labels, _ number: Int = 1) { counters[labels]?.add(number) }

    package func value(_ labels: Labels) -> UInt64 { counters[labels]?.value ?? 0 }
}

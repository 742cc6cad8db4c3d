/// What happens when: a binary heap by time, and by age among equals.
struct EventQueue {
    private struct Event {
        var at: SimTime
        var number: UInt64
        var body: () -> Void
    }

    private var heap: [Event] = []
    private var lastNumber: UInt64 = 0

    var nextTime: SimTime? { heap.first?.at }

    mutating func add(at time: SimTime, _ body: @escaping () -> Void) {
        lastNumber += 1
        heap.append(Event(at: time, number: lastNumber, body: body))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(child, parent) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> (at: SimTime, body: () -> Void)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.at, first.body)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && isBefore(child, least) {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        if heap[left].at != heap[right].at { return heap[left].at < heap[right].at }
        return heap[left].number < heap[right].number
    }
}

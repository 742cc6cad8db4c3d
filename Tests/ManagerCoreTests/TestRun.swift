import ManagerCore

/// Messages that are values of a test, each with the size the test gives it.
struct TestRun<Value: Sendable & Equatable>: MessageRun {
    var values: [Value]
    var sizes: [Int]

    init(_ values: [Value], sizes: [Int]) {
        self.values = values
        self.sizes = sizes
    }

    var count: Int { values.count }
    var bytes: Int { sizes.reduce(0, +) }
    func bytes(at index: Int) -> Int { sizes[index] }

    func prefix(_ count: Int) -> TestRun {
        TestRun(Array(values.prefix(count)), sizes: Array(sizes.prefix(count)))
    }

    mutating func removeFirst(_ count: Int) {
        values.removeFirst(count)
        sizes.removeFirst(count)
    }
}

extension PublishQueue where Run == TestRun<Int> {
    mutating func append(_ number: Int, bytes: Int) -> Appended {
        append(TestRun([number], sizes: [bytes]))
    }

    mutating func batchCompleted(_ number: UInt64, all outcome: Outcome) -> Completed {
        batchCompleted(number, Array(repeating: outcome, count: 1_000))
    }
}

extension PublishQueue.Batch where Run == TestRun<Int> {
    var elements: [Int] { runs.flatMap(\.values) }
}

extension TopicRing {
    init(maxMessages: Int, maxBytes: Int, backlogBytes: Int = 0) {
        self.init(
            TopicRetention(
                replay: MessageAmount(messages: maxMessages, bytes: maxBytes),
                backlogBytes: backlogBytes))
    }

    @discardableResult
    mutating func append<Value>(_ value: Value, bytes: Int) -> UInt64 where Run == TestRun<Value> {
        append(TestRun([value], sizes: [bytes]))
    }
}

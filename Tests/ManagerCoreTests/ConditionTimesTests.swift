import Testing

@testable import ManagerCore

@Suite struct ConditionTimesTests {
    private func condition(_ status: Condition.Status, _ second: Int64) -> Condition.Since {
        .init(
            status: status, time: WallTime(nanosecondsSinceEpoch: second * 1_000_000_000))
    }

    private func times(_ conditions: [Condition.Since]) -> ConditionTimes {
        conditions.reduce(into: ConditionTimes()) { $0.append($1) }
    }

    @Test func everyConditionHasItsStatusAndItsMoment() {
        let conditions = [
            condition(.yes, 5), condition(.no, 0), condition(.unknown, 5), condition(.yes, 7),
            condition(.no, 9), condition(.no, 11), condition(.yes, 11), condition(.unknown, 13),
        ]
        let times = times(conditions)
        for (index, condition) in conditions.enumerated() {
            #expect(times[index]?.status == condition.status)
            #expect(times[index]?.time == condition.time)
        }
        #expect(times[8] == nil)
    }

    @Test func whatWasNotComputedHasNone() {
        #expect(ConditionTimes()[0] == nil)
        #expect(times([condition(.no, 0)])[1] == nil)
    }

    @Test func thoseOfTwoMomentsTakeNoMemoryOfTheirOwn() {
        #expect(MemoryLayout<ConditionTimes>.size <= 5 * MemoryLayout<Int>.size)
    }
}

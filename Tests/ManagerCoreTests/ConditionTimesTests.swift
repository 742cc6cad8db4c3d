import Testing

@testable import ManagerCore

@Suite struct ConditionTimesTests {
    private func condition(_ status: Condition.Status, _ second: Int64) -> Condition {
        Condition(
            type: "T", status: status, reason: "R", message: "", observedGeneration: 1,
            lastTransitionTime: WallTime(nanosecondsSinceEpoch: second * 1_000_000_000))
    }

    @Test func everyConditionHasItsStatusAndItsMoment() {
        let conditions = [
            condition(.yes, 5), condition(.no, 0), condition(.unknown, 5), condition(.yes, 7),
            condition(.no, 9), condition(.no, 11), condition(.yes, 11), condition(.unknown, 13),
        ]
        let times = ConditionTimes(conditions)
        for (index, condition) in conditions.enumerated() {
            #expect(times[index]?.status == condition.status)
            #expect(times[index]?.time == condition.lastTransitionTime)
        }
        #expect(times[8] == nil)
    }

    @Test func whatWasNotComputedHasNone() {
        #expect(ConditionTimes()[0] == nil)
        #expect(ConditionTimes([condition(.no, 0)])[1] == nil)
    }

    @Test func thoseOfTwoMomentsTakeNoMemoryOfTheirOwn() {
        #expect(MemoryLayout<ConditionTimes>.size <= 5 * MemoryLayout<Int>.size)
    }
}

import ManagerCore
import Testing

@Suite struct BufferBudgetTests {
    @Test func reservationsStopAtTheLimit() {
        var budget = BufferBudget(limit: 100)
        #expect(budget.reserve(60) == .granted)
        #expect(budget.reserve(40) == .granted)
        #expect(budget.reserve(0) == .granted)
        #expect(budget.reserve(1) == .refused)
        #expect(budget.reserve(101) == .neverFits)
        #expect(budget.used == 100)
        #expect(budget.refusals == 1)
    }

    @Test func thoseWhoWereRefusedAreToldOnceWhenThereIsRoom() {
        var budget = BufferBudget(limit: 80)
        _ = budget.reserve(80)
        let wakesBeforeARefusal = budget.release(1)
        #expect(budget.reserve(2) == .refused)
        let wakes = [1, 8, 8].map { budget.release($0) }
        #expect(!wakesBeforeARefusal)
        #expect(wakes == [false, true, false])
    }

    @Test func dropsAreCountedByReason() {
        var counters = DropCounters()
        #expect(counters.total == 0)
        #expect(counters.nonZero.isEmpty)
        counters.count(.noTopic)
        counters.count(.shutdown, messages: 3)
        counters.count(.budget, messages: 0)
        #expect(counters[.noTopic] == 1)
        #expect(counters[.shutdown] == 3)
        #expect(counters[.budget] == 0)
        #expect(counters.nonZero.map(\.reason) == [.noTopic, .shutdown])
        var other = DropCounters()
        other.count(.shutdown)
        counters.add(other)
        #expect(counters.total == 5)
    }
}

import Manager
import ManagerCore
import TestKit
import Testing

/// Every implementation of the port keeps the one contract.
@Suite(.timeLimit(.minutes(1))) struct BusTests {
    @Test func topicsInTheProcessKeepTheContract() async throws {
        try await BusConformance.checkAll(LocalBus())
    }

    @Test func theRecordingDoubleKeepsTheContract() async throws {
        try await BusConformance.checkAll(RecordingBus())
    }
}

package import ManagerCore
import Synchronization

/// The counters that no part keeps for itself. Those who count hold it; none of it is touched for a
/// message: what is counted for each message stands in ``TrafficCounters`` and is added up when
/// somebody asks.
package final class ManagerMetrics: Sendable {
    package let dials = CounterFamily<DialOutcome>()
    package let disconnects = CounterFamily<DisconnectKind>()
    package let pings = CounterFamily<PingResult>()
    package let sends = CounterFamily<SendResult>()
    package let storeOperations = CounterFamily<StoreOperation>()
    package let gaps = Counter()
    /// Of event loops, for more messages to come.
    package let rests = Counter()
    /// Messages the bus did not take at once; they are tried again.
    package let publishUnavailable = Counter()
    /// Messages whose call ended later than ownership allows for.
    package let publishedLate = Counter()
    package let shadowMessages = CounterFamily<ShadowFate>()
    package let clusterEvents = CounterFamily<ClusterEvent>()
    private let dialDurationsState = Mutex(DurationHistogram.dials)

    package init() {}

    package func dialed(_ outcome: DialOutcome, in duration: Duration) {
        dials.add(outcome)
        dialDurationsState.withLock { $0.record(duration) }
    }

    package var dialDurations: DurationHistogram { dialDurationsState.withLock { $0 } }
}

extension ManagerMetrics {
    /// Runs a Send and counts what became of it.
    func counting<Result>(_ send: () async throws -> Result) async throws -> Result {
        do {
            let result = try await send()
            sends.add(.ok)
            return result
        } catch {
            sends.add((error as? SendFailure).map(SendResult.init) ?? .failed)
            throw error
        }
    }
}

extension SendResult {
    fileprivate init(_ failure: SendFailure) {
        switch failure {
        case .notConnected: self = .notConnected
        case .timedOut: self = .timeout
        case .refused, .writeBufferFull: self = .refused
        case .failed: self = .failed
        case .cancelled: self = .cancelled
        case .fenced: self = .fenced
        }
    }
}

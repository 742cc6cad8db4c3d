/// How often, and how many at once, one host may be dialled.
///
/// For each `host:port` a token bucket bounds the rate (never more than `burst + rate × t` grants
/// in any stretch of `t` seconds) and a count bounds the dials under way. The bucket is kept as one
/// instant, the *theoretical arrival time* of the generic cell rate algorithm: exact, and without
/// a refill timer.
///
/// Who waits, and in which order, is the caller's matter: it asks again at `.wait(until:)`, or when
/// any dial to that host has finished. A grant must be given back by ``finished(host:now:)``,
/// whatever became of the dial.
///
/// Memory: a host is forgotten once nothing is under way and its bucket is full again, which is
/// when it cannot be told from a host never seen. At most `2 × hosts dialled within burst / rate
/// seconds` are held, or 64.
package struct DialBudget: Sendable {
    package typealias Instant = Moment

    package enum Decision: Sendable, Hashable {
        /// Dial now.
        case granted
        /// The rate is used up: ask again at this time.
        case wait(until: Instant)
        /// As many dials as allowed are under way: ask again when one has finished.
        case waitForFinish
    }

    private struct Host: Sendable {
        var underWay = 0
        /// When the bucket will be full again.
        var fullAt: Instant
    }

    private static let fewestHostsToSweep = 64

    private var interval: Duration
    private var tolerance: Duration
    private var concurrency: Int
    private let whole: (rate: Double, burst: Int, concurrency: Int)
    private var hosts: [String: Host] = [:]
    private var sweepAt = fewestHostsToSweep

    /// - Parameters:
    ///   - rate: Dials per second in the long run; above 0.
    ///   - burst: Dials at once after a quiet time; at least 1.
    ///   - concurrency: Dials under way at the same time; at least 1.
    package init(rate: Double, burst: Int, concurrency: Int) {
        precondition(rate > 0 && burst >= 1 && concurrency >= 1, "a dial budget that dials never")
        self.whole = (rate, burst, concurrency)
        self.interval = Self.interval(rate: rate)
        self.tolerance = interval * (burst - 1)
        self.concurrency = concurrency
    }

    /// Rounded up, so that rounding never grants more than the rate.
    private static func interval(rate: Double) -> Duration {
        let exact = min(1_000_000_000 / rate, 1e18)
        let whole = Int64(exact)
        return .nanoseconds(Double(whole) < exact ? whole + 1 : whole)
    }

    /// The budget is one for so many instances, and each takes an equal share: of the rate exactly,
    /// of burst and dials under way at least one. What is under way goes on.
    package mutating func share(among instances: Int) {
        let instances = max(1, instances)
        self.interval = Self.interval(rate: whole.rate / Double(instances))
        self.tolerance = interval * (max(1, whole.burst / instances) - 1)
        self.concurrency = max(1, whole.concurrency / instances)
    }

    /// Hosts held in memory.
    package var hostCount: Int { hosts.count }

    /// Asks for one dial.
    ///
    /// - Parameter host: `host:port`, in lower case.
    package mutating func request(host: String, now: Instant) -> Decision {
        var state = hosts[host] ?? Host(fullAt: now)
        guard state.underWay < concurrency else { return .waitForFinish }
        let fullAt = max(state.fullAt, now)
        let earliest = fullAt.advanced(by: .zero - tolerance)
        guard earliest <= now else { return .wait(until: earliest) }
        state.underWay += 1
        state.fullAt = fullAt.advanced(by: interval)
        hosts[host] = state
        if hosts.count >= sweepAt { forgetIdleHosts(now: now) }
        return .granted
    }

    /// A granted dial has ended, with or without a socket. Ignored for a host with none under way.
    package mutating func finished(host: String, now: Instant) {
        guard var state = hosts[host], state.underWay > 0 else { return }
        state.underWay -= 1
        hosts[host] = Self.isIdle(state, now: now) ? nil : state
    }

    /// Drops what is known of hosts that cannot be told from new ones. Called from ``request(host:now:)``
    /// whenever the number of hosts has doubled, so its cost per dial is constant.
    package mutating func forgetIdleHosts(now: Instant) {
        hosts = hosts.filter { !Self.isIdle($0.value, now: now) }
        sweepAt = max(Self.fewestHostsToSweep, 2 * hosts.count)
    }

    private static func isIdle(_ host: Host, now: Instant) -> Bool {
        host.underWay == 0 && host.fullAt <= now
    }
}

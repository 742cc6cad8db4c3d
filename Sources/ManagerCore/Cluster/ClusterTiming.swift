/// The times of the ownership protocol, and the relations that make it safe.
package struct ClusterTiming: Sendable, Hashable {
    /// From begin to begin of heartbeats (H).
    package var heartbeat: Duration
    /// Deadline of each store call of the coordination (T).
    package var storeDeadline: Duration
    /// Act only while the last applied heartbeat began less than this ago (L).
    package var lease: Duration
    /// Longest publish call, its deadline included (P).
    package var publish: Duration
    /// Time without a change of the nonce until an observer suspects (D).
    package var suspicion: Duration
    /// From poll to poll of the roster, and of the headers one owns (O).
    package var poll: Duration
    /// A longer gap between reads of a slot restarts its suspicion (W).
    package var longestReadGap: Duration
    /// Fenced for so long: close the sockets (C).
    package var closeAfterFenced: Duration
    /// So long placement counts the node of a slot that is away (G).
    package var awayGrace: Duration
    /// Room for scheduling in the relations; a tick later than this means the process stood still.
    package var slack: Duration
    /// From tick to tick.
    package var tick: Duration
    /// Between two ranks of the members that would claim one shard.
    package var rankStep: Duration
    /// From look to look at all headers while nothing seems amiss.
    package var scan: Duration
    /// The roster must have been unchanged for this long before a shard moves for balance.
    package var settle: Duration
    /// A shard that was handed over stays for this long, but for a drain.
    package var restAfterMove: Duration
    /// How long an heir may take to have its shadow connections ready.
    package var shadow: Duration
    /// How long a drain may hand over before it releases what is left.
    package var drain: Duration
    /// Largest error of a clock's rate, in parts per million (ρ).
    package var driftPPM: Int

    package static let standard = ClusterTiming(
        heartbeat: .seconds(2), storeDeadline: .milliseconds(1500), lease: .seconds(6),
        publish: .seconds(2), suspicion: .seconds(10), poll: .seconds(2),
        longestReadGap: .seconds(5), closeAfterFenced: .seconds(30), awayGrace: .seconds(20),
        slack: .seconds(1), tick: .milliseconds(250), rankStep: .seconds(1), scan: .seconds(10),
        settle: .seconds(15), restAfterMove: .seconds(60), shadow: .seconds(20),
        drain: .seconds(30), driftPPM: 10_000)

    /// A quarter of every time, for stores and networks that answer within tens of milliseconds.
    package static let fast = standard.scaled(dividingBy: 4)

    /// Every time divided by `divisor`; the relations hold as before.
    package func scaled(dividingBy divisor: Int) -> ClusterTiming {
        var timing = self
        for path in Self.times { timing[keyPath: path] = timing[keyPath: path] / divisor }
        return timing
    }

    private static var times: [WritableKeyPath<ClusterTiming, Duration>] {
        [
            \.heartbeat, \.storeDeadline, \.lease, \.publish, \.suspicion, \.poll,
            \.longestReadGap, \.closeAfterFenced, \.awayGrace, \.slack, \.tick, \.rankStep,
            \.scan, \.settle, \.restAfterMove, \.shadow, \.drain,
        ]
    }

    /// How long after the begin of a heartbeat this instance may still act and publish.
    package var hold: Duration { lease + publish }

    /// Why these times are unsafe or cannot work, each with its numbers; empty if they can be used.
    package var faults: [String] {
        var faults: [String] = []
        func require(_ holds: Bool, _ sentence: String) {
            if !holds { faults.append(sentence) }
        }
        require(
            Self.times.allSatisfy { self[keyPath: $0] > .zero } && (0..<1_000_000) ~= driftPPM,
            "every time must be above zero and the drift below 100 %")
        require(
            hold * (1_000_000 + driftPPM) < suspicion * (1_000_000 - driftPPM),
            "lease \(lease) + publish \(publish), stretched by a drift of \(driftPPM) ppm on both "
                + "sides, must end before suspicion \(suspicion)")
        let oneLoss = heartbeat + storeDeadline * 2 + slack
        require(
            oneLoss <= lease,
            "heartbeat \(heartbeat) + 2 × store deadline \(storeDeadline) + slack \(slack) "
                + "must not exceed lease \(lease)")
        require(
            oneLoss + poll < suspicion,
            "heartbeat \(heartbeat) + 2 × store deadline \(storeDeadline) + slack \(slack) "
                + "+ poll \(poll) must be less than suspicion \(suspicion)")
        require(
            suspicion >= poll * 4,
            "suspicion \(suspicion) must be at least 4 × poll \(poll)")
        require(
            poll < longestReadGap && longestReadGap < suspicion / 2 + slack,
            "the longest gap between reads \(longestReadGap) must lie between poll \(poll) and "
                + "half of suspicion \(suspicion) + slack \(slack)")
        require(
            storeDeadline < longestReadGap - poll,
            "store deadline \(storeDeadline) must be less than the longest gap between reads "
                + "\(longestReadGap) − poll \(poll)")
        require(publish <= lease, "publish \(publish) must not exceed lease \(lease)")
        require(
            closeAfterFenced >= lease,
            "closing after \(closeAfterFenced) must not come before lease \(lease)")
        require(
            awayGrace >= suspicion,
            "the grace of a restart \(awayGrace) must be at least suspicion \(suspicion)")
        return faults
    }
}

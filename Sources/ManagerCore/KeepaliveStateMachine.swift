package import Spec

/// Decides when to ping one socket, and when its peer counts as dead.
///
/// A fresh machine for each socket, so that a pong owed to the socket before cannot matter. The
/// owner arms one timer for ``nextDeadline``, calls `timerFired` when it fires, and does what the
/// returned ``Action`` says; after every event it looks at ``nextDeadline`` again.
///
/// Pings carry their number in decimal (1, 2, …) as payload. A pong with the number of a ping that
/// was sent answers that ping and all before it (RFC 6455, section 5.5.3 lets a peer answer only
/// the latest); any other pong is unsolicited and means nothing. `pongTimeout` may be longer than
/// `pingInterval`: then several pings are under way, and the oldest unanswered one decides.
///
/// Only a pong ends a wait, since bytes alone may come from a proxy's buffer; with one exception:
/// while a frame is half received the peer cannot put a pong in between, so bytes that arrive
/// later than the ping end its wait too. While *we* do not read, a pong could not be seen: all
/// waits are suspended, pings go on (they keep the path open), and on resuming the latest ping
/// gets a whole fresh `pongTimeout`.
///
/// Cost: no allocation per received byte; one small array of pings under way.
package struct KeepaliveStateMachine: Sendable {
    package typealias Instant = Moment

    /// What the owner of the socket does now.
    package enum Action: Sendable, Hashable {
        /// Send a ping with this payload.
        case sendPing(payload: [UInt8])
        /// The peer is dead: no pong for so long. The machine asks for nothing any more.
        case closeDead(after: Duration)
        /// Nothing: the timer was early, or what it waited for has come.
        case none
    }

    private struct UnansweredPing: Sendable {
        var number: UInt64
        var sentAt: Instant
        /// Where its `pongTimeout` counts from: `sentAt`, or the end of a suspension or edit.
        var waitsFrom: Instant
    }

    private var pingInterval: Duration
    private var pongTimeout: Duration
    private var lastNumber: UInt64 = 0
    /// The instant the next interval counts from: the last ping's, or the start.
    private var intervalFrom: Instant
    /// Oldest first. At most `pongTimeout / pingInterval + 1`; one while suspended.
    private var unanswered: [UnansweredPing] = []
    private var isReadingPaused = false
    private var isDead = false
    private var lastBytesAt: Instant?
    private var lastMidFrameBytesAt: Instant?

    /// - Parameters:
    ///   - pingInterval: Time between pings; zero sends none and never finds a peer dead.
    ///   - pongTimeout: How long a pong may take.
    package init(pingInterval: Duration, pongTimeout: Duration, now: Instant) {
        self.pingInterval = pingInterval
        self.pongTimeout = pongTimeout
        self.intervalFrom = now
    }

    package init(_ keepalive: ConnectionSpec.Keepalive, now: Instant) {
        self.init(
            pingInterval: keepalive.pingInterval, pongTimeout: keepalive.pongTimeout, now: now)
    }

    /// When `timerFired` is due next; `nil` if there is nothing to wait for.
    package var nextDeadline: Instant? {
        guard !isDead, pingInterval > .zero else { return nil }
        let ping = intervalFrom.advanced(by: pingInterval)
        guard let dead = deadAt else { return ping }
        return min(ping, dead)
    }

    private var deadAt: Instant? {
        guard !isReadingPaused, let oldest = unanswered.first else { return nil }
        return oldest.waitsFrom.advanced(by: pongTimeout)
    }
}

// MARK: Events

extension KeepaliveStateMachine {
    /// The timer for ``nextDeadline`` fired. Too early is harmless.
    ///
    /// - Parameters:
    ///   - isMidFrame: A frame is half received at this moment.
    ///   - isReadingPaused: We do not read from the socket at this moment; the same as having
    ///     called ``readingPaused(now:)`` or ``readingResumed(now:)``.
    package mutating func timerFired(
        now: Instant, isMidFrame: Bool, isReadingPaused: Bool
    ) -> Action {
        guard !isDead, pingInterval > .zero else { return .none }
        if isReadingPaused { readingPaused(now: now) } else { readingResumed(now: now) }
        endWaits(before: isMidFrame ? lastBytesAt : lastMidFrameBytesAt)
        if let deadAt, deadAt <= now, let oldest = unanswered.first {
            isDead = true
            return .closeDead(after: oldest.waitsFrom.duration(to: now))
        }
        guard intervalFrom.advanced(by: pingInterval) <= now else { return .none }
        return .sendPing(payload: recordPing(now: now))
    }

    /// A pong arrived.
    ///
    /// - Returns: The round trip of the ping it answers; `nil` for an unsolicited pong or one whose
    ///   ping was answered before.
    @discardableResult
    package mutating func pongReceived(payload: some Collection<UInt8>, now: Instant) -> Duration? {
        guard let number = Self.number(of: payload), number <= lastNumber else { return nil }
        let answered = unanswered.first { $0.number == number }
        unanswered.removeAll { $0.number <= number }
        return answered?.sentAt.duration(to: now)
    }

    /// Bytes of any kind arrived: one call for each read, two stores.
    ///
    /// - Parameter isMidFrame: A frame was half received before or after these bytes.
    package mutating func bytesReceived(now: Instant, isMidFrame: Bool) {
        lastBytesAt = now
        if isMidFrame { lastMidFrameBytesAt = now }
    }

    /// We stopped reading. Repeated calls change nothing.
    package mutating func readingPaused(now: Instant) {
        guard !isReadingPaused else { return }
        isReadingPaused = true
        // The fresh wait after the pause is for the latest ping alone.
        if unanswered.count > 1 { unanswered.removeFirst(unanswered.count - 1) }
    }

    /// We read again. Repeated calls change nothing.
    package mutating func readingResumed(now: Instant) {
        guard isReadingPaused else { return }
        isReadingPaused = false
        restartWaits(now: now)
    }

    /// The policy was edited on the live socket. Waits under way start anew under the new timeout,
    /// so that a shorter one does not condemn a peer in hindsight; an interval of zero ends them.
    package mutating func configurationChanged(
        pingInterval: Duration, pongTimeout: Duration, now: Instant
    ) {
        if pingInterval != self.pingInterval {
            // Pings that were off begin a whole interval from now, not one that is long past.
            if self.pingInterval <= .zero { intervalFrom = now }
            self.pingInterval = pingInterval
            if pingInterval <= .zero { unanswered.removeAll() }
        }
        if pongTimeout != self.pongTimeout {
            self.pongTimeout = pongTimeout
            restartWaits(now: now)
        }
    }
}

// MARK: Inner steps

extension KeepaliveStateMachine {
    private mutating func recordPing(now: Instant) -> [UInt8] {
        lastNumber += 1
        intervalFrom = now
        if isReadingPaused { unanswered.removeAll(keepingCapacity: true) }
        unanswered.append(UnansweredPing(number: lastNumber, sentAt: now, waitsFrom: now))
        return Array(String(lastNumber).utf8)
    }

    private mutating func restartWaits(now: Instant) {
        for index in unanswered.indices { unanswered[index].waitsFrom = now }
    }

    /// Ends the waits of all pings that were sent before `evidence`.
    private mutating func endWaits(before evidence: Instant?) {
        guard let evidence else { return }
        unanswered.removeAll { $0.waitsFrom < evidence }
    }

    /// Reads a ping's number: one to twenty decimal digits, without a leading zero.
    private static func number(of payload: some Collection<UInt8>) -> UInt64? {
        guard let first = payload.first, first != UInt8(ascii: "0") else { return nil }
        var number: UInt64 = 0
        for byte in payload {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (tenfold, isTooLong) = number.multipliedReportingOverflow(by: 10)
            let (sum, isPastTheEnd) = tenfold.addingReportingOverflow(
                UInt64(byte - UInt8(ascii: "0")))
            guard !isTooLong, !isPastTheEnd else { return nil }
            number = sum
        }
        return number
    }
}

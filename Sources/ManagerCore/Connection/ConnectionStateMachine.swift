package import Spec

/// The life of one managed connection across all its sockets.
///
/// The machine decides nothing about *whether* there should be a socket (that is the plan's), only
/// what is true of the link now and when the next dial may be. Legal order:
///
/// ```
/// idle ──► dialing ──► open ──► closing ──► down
///            │  ▲        │         ▲          │
///            │  └────────┼─────────┼──────────┘
///            ├──────────►│         │
///            └──► down ◄─┘   dialing ──► closing
/// ```
///
/// Time, wall time and randomness are passed in. At most one socket exists in every state: `open`
/// and `dialing` hold one, `closing` still does, `idle` and `down` hold none.
package struct ConnectionStateMachine: Sendable {
    package enum State: Sendable, Hashable {
        /// Never dialled in this process. Can transition to: `dialing`.
        case idle
        /// A dial is running. Can transition to: `open`, `down`, `closing`.
        case dialing(Dialing)
        /// Upgraded. Can transition to: `closing`, `down`.
        case open(Open)
        /// We are closing. Can transition to: `down`.
        indirect case closing(Closing)
        /// No socket. Can transition to: `dialing`.
        case down(Down)
    }

    package struct Dialing: Sendable, Hashable {
        package var dialRevision: Int64

        package init(dialRevision: Int64) {
            self.dialRevision = dialRevision
        }
    }

    package struct Open: Sendable, Hashable {
        package var dialRevision: Int64
        package var since: Moment
        /// Every `onOpen` message has been written.
        package var isSubscribed: Bool
    }

    package struct Closing: Sendable, Hashable {
        package var dialRevision: Int64
        package var cause: CloseCause
        package var openSince: Moment?
    }

    package struct Down: Sendable, Hashable {
        package var dialRevision: Int64
        /// When the back-off lets the next dial go.
        package var nextAttemptAt: Moment
        /// Closed by us to be replaced: the next dial is outside the back-off.
        package var isReopening: Bool
        /// Closed by us for good.
        package var isFinal = false
    }

    /// Why we close a socket of ours.
    package enum CloseCause: Sendable, Hashable {
        /// The connection is no longer desired.
        case removed
        /// A field changed that needs a new socket; the paths name it.
        case reopen([String])
        /// The peer stopped answering: pings, or the server's rules.
        indirect case fault(LinkFailure)
        /// The process ends.
        case shutdown
        /// This instance may not act for the connection, now or for good.
        case fenced
    }

    package private(set) var state: State = .idle
    /// True once a socket was up in this process.
    package private(set) var hasBeenOpen = false
    /// Failed attempts in a row, drops of unstable links counted; zero after a stable one.
    package private(set) var attempt = 0
    @Seldom package private(set) var lastFailure: LinkFailure? = nil
    @Seldom package private(set) var lastClose: LinkClose? = nil
    /// Dials begun in this process.
    package private(set) var dials = 0

    private var policy: ConnectionSpec.Reconnect
    /// Of the back-off, in nanoseconds; 0: the next is its first.
    private var lastPause: Int64 = 0

    package init(policy: ConnectionSpec.Reconnect) {
        self.policy = policy
    }
}

// MARK: Events

extension ConnectionStateMachine {
    /// A dial begins. Ignored, with `false`, while a socket exists: there is never a second one.
    package mutating func dialStarted(dialRevision: Int64) -> Bool {
        switch state {
        case .idle:
            break
        case .down(let down) where down.dialRevision != dialRevision:
            // Another URL, or other credentials: what failed before says nothing about them.
            attempt = 0
            lastPause = 0
        case .down:
            break
        case .dialing, .open, .closing:
            return false
        }
        state = .dialing(Dialing(dialRevision: dialRevision))
        dials += 1
        return true
    }

    /// The upgrade is done. `false`: we were told to close meanwhile, so the socket must go.
    package mutating func opened(now: Moment) -> Bool {
        guard case .dialing(let dialing) = state else { return false }
        state = .open(
            Open(dialRevision: dialing.dialRevision, since: now, isSubscribed: false))
        hasBeenOpen = true
        return true
    }

    /// Every `onOpen` message is written. Late (the socket is gone already): ignored.
    package mutating func subscribed() {
        guard case .open(var open) = state else { return }
        open.isSubscribed = true
        state = .open(open)
    }

    /// We begin to close. `false` if there is no socket to close.
    package mutating func closeStarted(_ cause: CloseCause) -> Bool {
        switch state {
        case .idle, .down:
            return false
        case .dialing(let dialing):
            state = .closing(
                Closing(dialRevision: dialing.dialRevision, cause: cause, openSince: nil))
            return true
        case .open(let open):
            state = .closing(
                Closing(dialRevision: open.dialRevision, cause: cause, openSince: open.since))
            return true
        case .closing(var closing):
            // A removal outranks a reopen that is under way; nothing outranks a removal.
            if closing.cause != .removed { closing.cause = cause }
            state = .closing(closing)
            return true
        }
    }

    /// The dial ended without a socket.
    package mutating func dialFailed(
        _ failure: LinkFailure, now: Moment,
        using generator: inout some RandomNumberGenerator
    ) {
        switch state {
        case .dialing(let dialing):
            attempt += 1
            lastFailure = failure
            goDown(dialing.dialRevision, after: failure, now: now, using: &generator)
        case .closing(let closing):
            finishClosing(closing, now: now, using: &generator)
        case .idle, .open, .down:
            preconditionFailure("a dial failed in state \(state)")
        }
    }

    /// The socket is gone.
    ///
    /// - Parameters:
    ///   - close: what both sides said.
    ///   - failure: `nil` if the peer closed with 1000 or 1001 or we asked for it.
    package mutating func closed(
        _ close: LinkClose, failure: LinkFailure?, now: Moment,
        using generator: inout some RandomNumberGenerator
    ) {
        lastClose = close
        switch state {
        case .open(let open):
            if let failure { lastFailure = failure }
            countDrop(openSince: open.since, now: now)
            goDown(open.dialRevision, after: failure, now: now, using: &generator)
        case .closing(let closing):
            finishClosing(closing, now: now, using: &generator)
        case .idle, .dialing, .down:
            preconditionFailure("a socket closed in state \(state)")
        }
    }

    /// The retry policy was edited: holds from the next failure on.
    package mutating func policyChanged(_ policy: ConnectionSpec.Reconnect) {
        guard policy != self.policy else { return }
        self.policy = policy
        lastPause = 0
    }

    /// An operator asked for a fresh start, or an edit gave a reason for one: attempts count from
    /// zero and the next dial is due now.
    package mutating func attemptsForgiven(now: Moment) {
        attempt = 0
        lastPause = 0
        if case .down(var down) = state {
            down.nextAttemptAt = now
            state = .down(down)
        }
    }
}

// MARK: Questions

extension ConnectionStateMachine {
    /// `reconnect.maxAttempts` is used up.
    package var isExhausted: Bool { policy.maxAttempts > 0 && attempt >= policy.maxAttempts }

    /// As shown: zero once the link has been up for `stableAfter`.
    package func attempt(now: Moment) -> Int {
        if case .open(let open) = state, open.since.duration(to: now) >= policy.stableAfter {
            return 0
        }
        return attempt
    }

    package var hasSocket: Bool {
        switch state {
        case .idle, .down: false
        case .dialing, .open, .closing: true
        }
    }
}

// MARK: Inner steps

extension ConnectionStateMachine {
    /// Accept-then-close must not reset the back-off: only a link that was up for `stableAfter`
    /// lets the attempts count from zero.
    private mutating func countDrop(
        openSince: Moment, now: Moment
    ) {
        if openSince.duration(to: now) >= policy.stableAfter {
            attempt = 0
            lastPause = 0
        }
        attempt += 1
    }

    private mutating func goDown(
        _ dialRevision: Int64, after failure: LinkFailure?, now: Moment,
        using generator: inout some RandomNumberGenerator
    ) {
        var backoff = Backoff(base: policy.base, cap: policy.cap, after: lastPause)
        var delay = backoff.next(using: &generator)
        lastPause = backoff.previous
        // A fleet that is refused together must not come back together: both waits are spread.
        let spread = Double.random(in: 0...1, using: &generator)
        if let failure, failure.failureClass.waitsForTheCap {
            delay = max(delay, policy.cap * (2.0 / 3 + spread / 3))
        }
        if let retryAfter = failure?.retryAfter {
            delay = max(delay, retryAfter + max(policy.base, retryAfter / 5) * spread)
        }
        state = .down(
            Down(
                dialRevision: dialRevision, nextAttemptAt: now.advanced(by: delay),
                isReopening: false))
    }

    private mutating func finishClosing(
        _ closing: Closing, now: Moment,
        using generator: inout some RandomNumberGenerator
    ) {
        switch closing.cause {
        case .fault(let failure):
            lastFailure = failure
            if let since = closing.openSince {
                countDrop(openSince: since, now: now)
            } else {
                attempt += 1
            }
            goDown(closing.dialRevision, after: failure, now: now, using: &generator)
        case .reopen:
            endOrderly(closing.dialRevision, now: now, isFinal: false)
        case .removed, .shutdown:
            endOrderly(closing.dialRevision, now: now, isFinal: true)
        case .fenced:
            // Not the remote's doing: the back-off stays as it was and holds nothing up.
            state = .down(
                Down(
                    dialRevision: closing.dialRevision, nextAttemptAt: now, isReopening: true))
        }
    }

    private mutating func endOrderly(
        _ dialRevision: Int64, now: Moment, isFinal: Bool
    ) {
        attempt = 0
        lastPause = 0
        state = .down(
            Down(
                dialRevision: dialRevision, nextAttemptAt: now, isReopening: !isFinal,
                isFinal: isFinal))
    }
}

import ManagerCore
import NIOCore

// MARK: What the cluster asks of a connection under a title. Any thread.

extension ManagedConnection {
    /// How long replies of Send are waited for before a shard is given away; the callers of those
    /// that come later are told to try again.
    static let repliesLimit: Duration = .seconds(1)
    /// While digests are asked for, once a second, a socket that drops is left to the heir: a remote
    /// that bears one session would make both kick each other out for ever. So long after the last
    /// time the hand-over must have gone on, or was called off.
    static let heirLimit: Duration = .seconds(2)

    /// Begins nothing new, reads no more once no reply is waited for, and publishes the rest.
    ///
    /// - Parameter whenQuiet: called once, when nothing is left and no publish call is under way.
    func stopReading(whenQuiet: @escaping @Sendable () -> Void) {
        eventLoop.execute {
            self.isStopped = true
            self.onQuiet = whenQuiet
            if case .dialing = self.machine.state {
                self.beginClose(.fenced, code: 1001, reason: "")
            }
            if self.repliesAwaited > 0 {
                self.lastReplies.arm(
                    self.now.advanced(by: Self.repliesLimit), now: self.now, on: self.eventLoop
                ) {
                    self.lastReplies.fired()
                    self.failReplies(.fenced)
                }
            }
            self.balanceReading()
            self.publishNext()
        }
    }

    /// What was published, for an heir that listens already.
    func digestsForHeir() -> ConnectionDigests {
        redialsFrom = now.advanced(by: Self.heirLimit)
        return digests
    }

    /// Goes on as before ``stopReading(whenQuiet:)`` and ``hangUp()``.
    func resume() {
        eventLoop.execute {
            self.isStopped = false
            self.isHungUp = false
            self.onQuiet = nil
            self.redialsFrom = nil
            self.lastReplies.cancel()
            self.drainBacklog()
            self.gateOpened()
            self.environment.changes.note(self.name, on: self.eventLoop)
        }
    }

    /// Closes the socket and keeps the buffer; dials no more.
    func hangUp() {
        eventLoop.execute {
            self.isHungUp = true
            self.beginClose(.fenced, code: 1001, reason: "")
        }
    }

    /// Closes the socket; the loop dials again once the gate is open.
    func closeSocket() {
        eventLoop.execute { self.beginClose(.fenced, code: 1001, reason: "") }
    }

    /// The title is gone, or the shadow is for nothing: sends no more, publishes no more, and drops
    /// what is buffered, counted as `fenced`.
    ///
    /// - Parameter then: called once there is neither a socket nor a publish call.
    func leave(then: @escaping @Sendable () -> Void) {
        eventLoop.execute {
            self.isGone = true
            self.onGone = then
            self.onQuiet = nil
            self.succession = nil
            self.lastReplies.cancel()
            self.failReplies(.fenced)
            self.clearShadow()
            self.discardNow(.fenced)
            self.beginClose(.fenced, code: 1001, reason: "")
            self.finishIfGone()
        }
    }

    /// Looks on the event loop; `then` is called there.
    func look<Result: Sendable>(
        _ body: @escaping @Sendable (ManagedConnection) -> Result,
        then: @escaping @Sendable (Result) -> Void
    ) {
        eventLoop.execute { then(body(self)) }
    }
}

// MARK: On the event loop

extension ManagedConnection {
    /// Right before a connect, and again before the upgrade request.
    var mayDial: Bool { !isStopped && !isHungUp && !isGone && right.mayReachOut }

    var leavesDialToHeir: Bool { redialsFrom.map { now < $0 } ?? false }

    /// Nothing is left to be published, no call is under way and no reply is waited for.
    var isQuiet: Bool {
        hasNothingWaiting && !isCallUnderWay && repliesAwaited == 0 && !isAwaitingGapEvent
    }

    func checkQuiet() {
        guard let onQuiet, isStopped, isQuiet else { return }
        self.onQuiet = nil
        onQuiet()
    }

    func finishIfGone() {
        guard let onGone, isGone, !isCallUnderWay, !machine.hasSocket else { return }
        self.onGone = nil
        onGone()
    }

    /// What was published under the title, for the heir.
    var digests: ConnectionDigests {
        ConnectionDigests(
            name: name, uid: LiveRecord.key(ofUID: uid.rawValue),
            lastSequence: recentFrames?.lastSequence ?? 0, frames: recentFrames?.digests ?? [])
    }

    func socketGone() {
        shadowClosed()
        finishIfGone()
    }

    func reportDrop() {
        guard let gate = right.gate, let title = gate.title else { return }
        environment.reports.socketDropped(shard: gate.shard, title: title)
    }

    // MARK: A closed gate

    /// There is something to do and no right to do it: looks again soon.
    func watchGate() {
        guard !isWatchingGate, !isGone else { return }
        isWatchingGate = true
        environment.gates.wait(self)
    }

    func lookAtGate() {
        isWatchingGate = false
        guard !isGone, right.gate?.isEnded != true else { return }
        if right.mayReachOut { gateOpened() } else { watchGate() }
    }

    /// All that waited goes on.
    func gateOpened() {
        if let socket, case .open = machine.state, !unsentInitial.isEmpty {
            let initial = unsentInitial
            unsentInitial = []
            send(initial, on: socket)
        }
        armKeepalive()
        drainBacklog()
        if wantsDial {
            wantsDial = false
            environment.changes.note(name, on: eventLoop)
        }
    }

    /// Tells of the owner before, ahead of everything else.
    func announceSuccession() {
        guard let succession, let gate = right.gate else { return }
        self.succession = nil
        isAwaitingGapEvent = true
        environment.metrics.gaps.add()
        publishEvent(
            .gap(
                LifecycleEvent.Gap(
                    from: .init(epoch: succession.epoch, sequence: succession.lastSequence),
                    to: .init(epoch: gate.epoch, sequence: 1, time: wallTime),
                    cause: succession.cause, matched: succession.matched)),
            then: {
                self.eventLoop.execute {
                    self.isAwaitingGapEvent = false
                    self.drainBacklog()
                }
            })
    }
}

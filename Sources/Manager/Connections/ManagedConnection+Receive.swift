import DequeModule
import Logging
import ManagerCore
import NIOCore
import Spec
import WebSocket

/// Passes one socket's callbacks on. Those of a socket that is not the present one any more are
/// late and mean nothing.
struct SocketDelegate: WebSocketDelegate {
    let owner: ManagedConnection
    let number: UInt32

    func webSocketReceived(_ segments: [MessageSegment], bytes: Int) {
        guard number == owner.dialNumber else { return }
        owner.received(segments, bytes: bytes)
    }

    func webSocketReceivedPong(_ payload: [UInt8]) {
        guard number == owner.dialNumber else { return }
        owner.receivedPong(payload)
    }

    func webSocketClosed(_ close: WebSocketClose) {
        guard number == owner.dialNumber else { return }
        owner.socketClosed(close)
    }
}

// MARK: Receiving

extension ManagedConnection {
    /// One read's messages. Cost: one run and one snapshot a read; nothing a message, unless a reply
    /// is waited for, a buffer is full or each message has to be looked at.
    func received(_ segments: [MessageSegment], bytes: Int) {
        let now = now
        let time = wallTime
        keepalive?.bytesReceived(now: now, isMidFrame: socket?.isMidFrame ?? false)
        defer { noteRead(bytes, now: now) }
        guard !segments.isEmpty, shadow == nil else {
            count { $0.receivedBytes += UInt64(bytes) }
            if !segments.isEmpty { shadowReceived(segments, time: time) }
            return
        }
        if passOn(segments, bytes: bytes, time: time) {
            return balanceReads(after: bytes)
        }
        let segments = pendingFrames == nil ? segments : withoutPendingFrames(segments)
        ingest(segments, bytes: bytes, time: time)
        // With a topic, the first message counts once the bus has it.
        let isFirst = outlet.topic == nil && !facts.hasFirstMessage
        if isFirst { facts.hasFirstMessage = true }
        publishNext()
        balanceReading()
        balanceReads(after: bytes)
        if isFirst { changed() } else { refreshTraffic() }
    }

    /// Hands a read's messages to a bus that answers at once, past the queue, where nothing waits
    /// before them and nothing is amiss.
    ///
    /// - Returns: `false`, and nothing has changed, if they have to be taken in one after the other.
    private func passOn(_ segments: [MessageSegment], bytes: Int, time: WallTime) -> Bool {
        guard isClear, segments.count == 1, let run = run(of: segments[0], time: time),
            run.bytes <= min(queue.bounds.bytes, environment.buffers.limit),
            environment.bus.publishWhole(run)
        else { return false }
        sequence = run.lastSequence
        queue.wentPast(messages: run.count)
        if recentFrames != nil { recentFrames?.published([run]) }
        noteLateness(messages: run.count)
        count { traffic in
            traffic.received(segments, bytes: bytes, time: time)
            traffic.published = queue.delivered
        }
        return true
    }

    /// Whether a message goes to the bus as soon as it comes, and none went amiss before.
    private var isClear: Bool {
        let isOrdinary =
            !(passing?.concernsMessages ?? false) && !isStopped && !isGone && !isReadingPaused
        let isPublishing = facts.hasFirstMessage && facts.publishFailure == nil
        return !environment.bus.isRemote && isQuiet && isOrdinary && isPublishing
    }

    /// - Returns: `nil` if they have no topic, or each has to be looked at.
    private func run(of segment: MessageSegment, time: WallTime) -> EventRun? {
        guard let topic = outlet.topic, outlet.data != .json else { return nil }
        return EventRun(
            origin: origin, topic: topic, time: time, kind: segment.kind == .text ? .text : .binary,
            data: outlet.data, delivery: outlet.delivery, firstSequence: sequence + 1,
            payload: segment.bytes, ends: segment.ends)
    }

    /// Counts messages and takes them in, by the policy.
    ///
    /// - Parameter bytes: as many as were received for them.
    func ingest(_ segments: [MessageSegment], bytes: Int, time: WallTime) {
        count { traffic in
            traffic.received(segments, bytes: bytes, time: time)
            // They wait; what becomes of them is shown when all are taken in.
            traffic.bufferedMessages += segments.messageCount
        }
        for segment in segments {
            if isGone {
                queue.countRefused(.fenced, messages: segment.count)
                continue
            }
            if repliesAwaited == 0, backlog.isEmpty {
                if offerWhole(segment, time: time) { continue }
                // A read may bring more than the buffer holds, of what the bus takes at once.
                publishWaiting()
                if offerWhole(segment, time: time) { continue }
            }
            for message in segment.messages {
                if repliesAwaited > 0, takeAsReply(message) { continue }
                ingest(message, time: time)
            }
        }
    }

    private func ingest(_ message: WebSocketMessage, time: WallTime) {
        if backlog.isEmpty, offer(message, time: time) { return }
        if case .closing = machine.state {
            // A closing socket reads on to find the peer's close frame: what has no room goes.
            queue.countRefused(.bufferFull)
            return
        }
        backlogTime = time
        backlog.append(message)
    }

    /// Takes messages into the queue as they are, or counts them where they have no topic.
    ///
    /// - Returns: `false`, and nothing has changed, if each has to be looked at or a policy has to
    ///   decide: they are offered one by one then.
    private func offerWhole(_ segment: MessageSegment, time: WallTime) -> Bool {
        guard outlet.topic != nil else {
            queue.countRefused(.noTopic, messages: segment.count)
            return true
        }
        guard let run = run(of: segment, time: time) else { return false }
        if let spill, spill.isActive { return spillOver(run) }
        let bytes = run.bytes
        guard case .granted = environment.buffers.reserve(bytes) else { return false }
        guard queue.appendWhole(run) else {
            environment.buffers.release(bytes)
            return false
        }
        sequence = run.lastSequence
        return true
    }

    /// Takes a message into the queue, or counts why not.
    ///
    /// - Returns: `false` if it must wait for room (policy `block`).
    private func offer(_ message: WebSocketMessage, time: WallTime) -> Bool {
        guard let topic = outlet.topic else {
            queue.countRefused(.noTopic)
            return true
        }
        let isText = message.kind == .text
        if outlet.data == .json, JSONText.type(of: message.payload) == nil {
            queue.countRefused(.notJSON)
            return true
        }
        let event = EventRun(
            origin: origin, topic: topic, time: time, kind: isText ? .text : .binary,
            data: outlet.data, delivery: outlet.delivery, sequence: sequence + 1,
            payload: message.payload)
        if let spill, spill.isActive { return spillOver(event) }
        switch reserve(event.bytes) {
        case .granted: break
        case .wait: return false
        case .dropped: return true
        case .spill: return spillOver(event)
        }
        return append(event)
    }

    private func append(_ event: EventRun) -> Bool {
        let bytes = event.bytes
        switch queue.append(event) {
        case .accepted:
            sequence += 1
            return true
        case .acceptedDroppedOldest(let dropped):
            sequence += 1
            environment.buffers.release(dropped.bytes)
            return true
        case .full:
            environment.buffers.release(bytes)
            return queue.overflow == .spill && spillOver(event)
        case .refused:
            // It had its number: consumers see the hole.
            sequence += 1
            environment.buffers.release(bytes)
            return true
        }
    }

    private enum BudgetAnswer {
        case granted, wait, dropped, spill
    }

    /// Asks for room in the buffers of all connections together, by this connection's policy.
    private func reserve(_ bytes: Int) -> BudgetAnswer {
        let mayWait = queue.overflow == .block
        let answer =
            mayWait && !waitsForBudget
            ? environment.buffers.reserve(bytes, orWake: { self.budgetHasRoom() })
            : environment.buffers.reserve(bytes)
        switch answer {
        case .granted:
            return .granted
        case .neverFits:
            sequence += 1
            queue.countRefused(.tooLarge)
            return .dropped
        case .refused where mayWait:
            waitsForBudget = true
            return .wait
        case .refused where queue.overflow == .spill:
            return .spill
        case .refused:
            if queue.overflow == .dropOldest {
                let freed = queue.dropOldest(freeing: bytes, reason: .budget)
                environment.buffers.release(freed.bytes)
                if case .granted = environment.buffers.reserve(bytes) { return .granted }
            }
            sequence += 1
            queue.countRefused(.budget)
            return .dropped
        }
    }

    private func budgetHasRoom() {
        eventLoop.execute {
            self.waitsForBudget = false
            self.drainBacklog()
        }
    }

    /// Offers what waits for room again, and goes on reading when all of it has found some.
    func drainBacklog() {
        _ = refillFromBacklog()
        publishNext()
        balanceReading()
        refreshTraffic()
    }

    /// - Returns: whether any of it found room.
    func refillFromBacklog() -> Bool {
        let before = backlog.count
        while let message = backlog.first, offer(message, time: backlogTime) {
            backlog.removeFirst()
        }
        return backlog.count < before
    }
}

// MARK: Backpressure

extension ManagedConnection {
    /// While reading is paused, the socket is looked at this often for pings and close frames that
    /// stand behind data. Servers that cut a client wait for tens of seconds, so a second is soon.
    static let lookAheadInterval: Duration = .seconds(1)

    /// Stops reading while the queue has no room, and goes on when it has.
    func balanceReading() {
        guard let socket else { return }
        // The replies that are waited for come from the socket too.
        let isStopped = isStopped && repliesAwaited == 0
        let shouldPause =
            queue.shouldPauseReading || !backlog.isEmpty || isStopped || isShadowFull
        guard shouldPause != isReadingPaused else { return }
        isReadingPaused = shouldPause
        socket.setReading(!shouldPause)
        if shouldPause {
            keepalive?.readingPaused(now: now)
            armLookAhead()
        } else {
            lookAheadTimer.cancel()
            keepalive?.readingResumed(now: now)
            armKeepalive()
        }
    }

    /// The bus has all that was received.
    var hasNothingWaiting: Bool {
        queue.held.messages == 0 && backlog.isEmpty && spill.map { !$0.isActive } ?? true
    }

    /// Lets the loop rest after its turn, where reads come without a pause.
    private func noteRead(_ bytes: Int, now: Moment) {
        environment.rests.read(
            bytes, by: ObjectIdentifier(self),
            isTakenAtOnce: hasNothingWaiting && !environment.bus.isRemote, on: eventLoop, now: now)
    }

    /// Reads take all there is where much comes, the bus takes it at once and nobody reads it there.
    /// A read that brings little tells nothing of that: it may be the last of many in a row.
    ///
    /// What has to wait counts against bounds, and what of a read they have no room for waits beside
    /// the buffer. A reader has its turn when the sockets have had theirs, and may miss what came.
    private func balanceReads(after bytes: Int) {
        guard bytes >= WebSocketLimits.shallowRead / 2, let socket else { return }
        let shouldBeDeep =
            hasNothingWaiting && !(outlet.topic.map(environment.bus.isFollowed) ?? false)
        guard shouldBeDeep != hasDeepReads else { return }
        hasDeepReads = shouldBeDeep
        socket.setDeepReads(shouldBeDeep)
    }

    private func armLookAhead() {
        lookAheadTimer.arm(
            now.advanced(by: Self.lookAheadInterval), now: now, on: eventLoop
        ) { [weak self] in
            guard let self else { return }
            self.lookAheadTimer.fired()
            guard self.isReadingPaused, let socket = self.socket else { return }
            // With a backlog there is no room at all: then only TCP may push back.
            if self.backlog.isEmpty, !self.isStopped, self.shadow == nil { socket.readOnce() }
            self.armLookAhead()
        }
    }
}

// MARK: Keepalive

extension ManagedConnection {
    func receivedPong(_ payload: [UInt8]) {
        guard keepalive?.pongReceived(payload: payload, now: now) != nil else { return }
        environment.metrics.pings.add(.answered)
    }

    /// The socket is up.
    func beginKeepalive() {
        let declared = desired.spec.keepalive
        if declared.pingInterval > .zero {
            keepalive = KeepaliveStateMachine(declared, now: now)
            armKeepalive()
        } else if keepalive != nil {
            keepalive = nil
        }
    }

    /// The declaration was edited.
    func keepaliveChanged() {
        let declared = desired.spec.keepalive
        if keepalive != nil {
            keepalive?.configurationChanged(
                pingInterval: declared.pingInterval, pongTimeout: declared.pongTimeout, now: now)
            armKeepalive()
        } else if case .open = machine.state, socket != nil {
            beginKeepalive()
        }
    }

    func armKeepalive() {
        guard let deadline = keepalive?.nextDeadline else { return }
        keepaliveTimer.arm(deadline, now: now, on: eventLoop) { [weak self] in
            guard let self else { return }
            self.keepaliveTimer.fired()
            self.keepaliveDue()
        }
    }

    private func keepaliveDue() {
        guard let socket else { return }
        // A ping is a frame of ours: without the right it waits, and so does the verdict on it.
        guard right.mayReachOut else {
            watchGate()
            return
        }
        let action =
            keepalive?.timerFired(
                now: now, isMidFrame: socket.isMidFrame, isReadingPaused: isReadingPaused)
            ?? .none
        switch action {
        case .sendPing(let payload):
            socket.ping(payload)
        case .closeDead(let silence):
            environment.metrics.pings.add(.unanswered)
            cut(
                LinkFailure(
                    failureClass: .transient, code: "pongTimeout",
                    message: "no pong for \(DurationText.format(silence)): the peer counts as dead "
                        + "(keepalive.pongTimeout)", at: wallTime))
        case .none:
            break
        }
        armKeepalive()
    }
}

extension TrafficCounters {
    /// - Parameter bytes: as many as were received for them.
    fileprivate mutating func received(
        _ segments: [MessageSegment], bytes: Int, time: WallTime
    ) {
        receivedBytes += UInt64(bytes)
        guard let last = segments.last else { return }
        receivedMessages += UInt64(segments.messageCount)
        for segment in segments where segment.kind == .text {
            receivedTexts += UInt64(segment.count)
        }
        lastReceivedAt = time
        lastWasText = last.kind == .text
    }
}

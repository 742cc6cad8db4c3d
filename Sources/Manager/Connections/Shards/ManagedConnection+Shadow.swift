import ManagerCore
import NIOCore
import Spec
import WebSocket

/// A connection's life before its shard comes. Confined to its event loop.
final class ShadowLife {
    var buffer = ShadowBuffer()
    /// What the owner has published, as far as it has told.
    var published: ConnectionDigests?
    /// So long an open socket may be quiet before it counts as ready (decision 0024).
    let quiet: Duration
    var quietTimer = LoopTimer()
    /// Called once: it is ready, or its dial failed and the hand-over need not wait for it.
    var onSettled: (@Sendable () -> Void)?

    init(quiet: Duration, onSettled: @escaping @Sendable () -> Void) {
        self.quiet = quiet
        self.onSettled = onSettled
    }
}

// MARK: Asked by the cluster. Any thread.

extension ManagedConnection {
    /// A connection that reads and publishes nothing.
    static func inShadow(
        _ desired: DesiredConnection, eventLoop: any EventLoop, environment: ConnectionEnvironment,
        lease: LeaseGate, quiet: Duration, onSettled: @escaping @Sendable () -> Void
    ) -> ManagedConnection {
        let connection = ManagedConnection(
            desired, eventLoop: eventLoop, environment: environment, right: .shadow(lease))
        connection.shadow = ShadowLife(quiet: quiet, onSettled: onSettled)
        return connection
    }

    /// What the owner published: frames that no match can need any more are let go.
    func keepDigests(_ digests: ConnectionDigests) {
        eventLoop.execute {
            guard let shadow = self.shadow else { return }
            // Whatever comes later, those that reach furthest count (decision 0027).
            guard digests.lastSequence >= shadow.published?.lastSequence ?? 0 else { return }
            shadow.published = digests
            let removed = shadow.buffer.trim(digests.frames)
            self.environment.metrics.shadowMessages.add(.matched, removed.messages)
            self.environment.buffers.release(removed.bytes)
            self.balanceReading()
        }
    }

    /// The shard has come: publishes under the title what the owner before has not.
    func becomeEffective(_ gate: ShardGate, _ desired: DesiredConnection, _ past: Succession) {
        eventLoop.execute { self.takeTitle(gate, desired, past) }
    }
}

// MARK: On the event loop

extension ManagedConnection {
    var isShadowFull: Bool {
        guard let shadow, queue.overflow == .block else { return false }
        return shadow.buffer.isFull(queue.bounds)
    }

    func shadowReceived(_ segments: [MessageSegment], time: WallTime) {
        guard outlet.topic != nil, !isGone, let shadow else { return }
        for segment in segments {
            let block = ShadowBuffer.Block(
                isText: segment.kind == .text, time: time, bytes: segment.bytes,
                ends: segment.ends)
            guard case .granted = environment.buffers.reserve(block.cost) else {
                // A hole inside would spoil the match: it begins anew.
                letGo(shadow.buffer.removeAll())
                environment.metrics.shadowMessages.add(.discarded, segment.count)
                continue
            }
            shadow.buffer.append(block)
        }
        if queue.overflow != .block { letGo(shadow.buffer.shrink(to: queue.bounds)) }
        if shadow.buffer.canMatch { settleShadow() }
        balanceReading()
    }

    private func letGo(_ amount: MessageAmount) {
        environment.metrics.shadowMessages.add(.discarded, amount.messages)
        environment.buffers.release(amount.bytes)
    }

    func shadowOpened() {
        guard let quiet = shadow?.quiet else { return }
        if outlet.topic == nil { return settleShadow() }
        shadow?.quietTimer.arm(now.advanced(by: quiet), now: now, on: eventLoop) { [weak self] in
            guard let self, self.shadow != nil else { return }
            self.shadow?.quietTimer.fired()
            self.settleShadow()
        }
    }

    /// A dial that failed holds a hand-over up no longer.
    func dialSettled() {
        finishIfGone()
        if shadow != nil, !machine.hasSocket, !wantsDial { settleShadow() }
    }

    private func settleShadow() {
        guard let onSettled = shadow?.onSettled else { return }
        shadow?.onSettled = nil
        shadow?.quietTimer.cancel()
        onSettled()
    }

    /// What the remote sent between two sockets is in no buffer (decision 0028).
    func shadowClosed() {
        guard let shadow else { return }
        letGo(shadow.buffer.removeAll())
        shadow.quietTimer.cancel()
    }

    func clearShadow() {
        shadowClosed()
        shadow = nil
    }

    private func takeTitle(_ gate: ShardGate, _ desired: DesiredConnection, _ past: Succession) {
        guard let shadow, !isGone else { return }
        self.shadow = nil
        shadow.quietTimer.cancel()
        apply(desired, tells: false)
        right = .title(gate)
        origin = EventOrigin(desired, right)
        gapEpoch = gate.epoch
        formerEpoch = past.epoch
        openSpill()
        sequence = 0
        firstSequenceOfSocket = 1
        // What this socket brought is with the bus, if the owner before has published it.
        let published = published(before: shadow)
        let match = published.map(shadow.buffer.match) ?? .none
        facts.hasFirstMessage = match.dropped > 0 && socket != nil
        recentFrames = RecentFrames(after: published ?? [])
        if socket != nil { pendingFrames = PendingFrames(match) }
        // The owner before has told of it as connected.
        lastPhase = .connected
        var past = past
        past.matched = LifecycleEvent.Gap.Match(match)
        past.lastSequence = shadow.published?.lastSequence ?? past.lastSequence
        succession = past
        announceSuccession()
        let removed = shadow.buffer.removeFirst(match.dropped)
        environment.metrics.shadowMessages.add(.matched, removed.messages)
        environment.buffers.release(removed.bytes)
        environment.metrics.shadowMessages.add(.kept, shadow.buffer.count)
        environment.buffers.release(shadow.buffer.held.bytes)
        for block in shadow.buffer.takeAll() {
            let segment = MessageSegment(
                kind: block.isText ? .text : .binary, bytes: block.bytes, ends: block.ends)
            ingest([segment], bytes: block.bytes.count, time: block.time)
        }
        publishNext()
        balanceReading()
        changed()
    }

    /// What is left of a read without frames that the owner before has published.
    func withoutPendingFrames(_ segments: [MessageSegment]) -> [MessageSegment] {
        guard var pending = pendingFrames else { return segments }
        let left = segments.messages.drop { message in
            let digest = message.payload.withUnsafeBytes {
                FrameDigest.of($0, isText: message.kind == .text)
            }
            return pending.takes(digest)
        }
        environment.metrics.shadowMessages.add(.matched, segments.messageCount - left.count)
        pendingFrames = pending.isEmpty ? nil : pending
        return left.map { MessageSegment($0) }
    }

    /// Of this connection, by the owner before; `nil` if it has told of none.
    private func published(before shadow: ShadowLife) -> [UInt64]? {
        guard let published = shadow.published,
            published.uid == LiveRecord.key(ofUID: uid.rawValue)
        else { return nil }
        return published.frames
    }
}

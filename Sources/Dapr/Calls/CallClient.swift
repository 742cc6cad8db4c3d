import DequeModule
import GRPCCore
import NIOCore

/// Makes unary calls to one sidecar over one connection of HTTP/2 at a time.
///
/// It dials when a call needs it. While it does, and while the sidecar takes no more calls at one
/// time, calls wait in their order, bounded by ``DaprLimits/waitingCalls`` and their deadlines.
/// After a dial that failed calls fail at once until it is time for the next one. No call is made
/// twice. A client that is let go without ``close()`` is there until its connection was idle long
/// enough.
///
/// `@unchecked Sendable`: the mutable properties are confined to `eventLoop`; every entry point
/// hops.
final class CallClient: @unchecked Sendable {
    private enum State {
        case idle
        case dialing
        case open(CallHandler)
        /// No dial until then.
        case resting(NIODeadline, RPCError)
        case closed
    }

    let eventLoop: any EventLoop
    private let dialer: CallDialer
    private let fixed: RequestHead.Fixed
    private var state = State.idle
    private var waiting: Deque<PendingCall> = []
    private var timer = WakeTimer()
    /// Dials in a row that led to no connection.
    private var failures = 0
    /// Connections that are open, also those on which only old calls end.
    private var handlers: [ObjectIdentifier: CallHandler] = [:]
    private var closers: [CheckedContinuation<Void, Never>] = []

    init(_ fixed: RequestHead.Fixed, dialer: CallDialer, on eventLoop: any EventLoop) {
        self.fixed = fixed
        self.dialer = dialer
        self.eventLoop = eventLoop
    }

    /// Makes one call.
    ///
    /// - Parameter message: With its prefix.
    /// - Throws: `RPCError`.
    func call(
        _ method: CallMethod, _ message: ByteBuffer, within timeout: Duration
    ) async throws -> ByteBuffer {
        let call = PendingCall(method, message, deadline: .now() + TimeAmount(timeout))
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                onLoop { self.make(call, for: continuation) }
            }
        } onCancel: {
            onLoop { self.cancel(call) }
        }
        return try answer.get()
    }

    /// Lets calls under way end, then disconnects; whoever calls after that is refused.
    func close() async {
        await withCheckedContinuation { continuation in
            onLoop {
                self.closers.append(continuation)
                self.state = .closed
                self.failWaiting(Self.closedError)
                for handler in self.handlers.values { handler.drain() }
                self.finishClosing()
            }
        }
    }

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop { body() } else { eventLoop.execute(body) }
    }

    private static var closedError: RPCError {
        RPCError(code: .unavailable, message: "the client is closed")
    }

    private static var cancelledError: RPCError {
        RPCError(code: .cancelled, message: "the call was cancelled")
    }

    private static var lateError: RPCError {
        RPCError(code: .deadlineExceeded, message: "the call had no turn in time")
    }

    // MARK: Calls

    private func make(
        _ call: PendingCall, for continuation: CheckedContinuation<PendingCall.Answer, Never>
    ) {
        call.isAwaited { continuation.resume(returning: $0) }
        guard !call.isCancelled else { return call.answer(.failure(Self.cancelledError)) }
        let now = NIODeadline.now()
        switch state {
        case .open(let handler) where waiting.isEmpty && handler.hasRoom:
            handler.start(call, now: now)
        case .open, .dialing: wait(call)
        case .closed: call.answer(.failure(Self.closedError))
        case .resting(let end, let error) where now < end: call.answer(.failure(error))
        case .idle, .resting:
            wait(call)
            dial()
        }
    }

    private func wait(_ call: PendingCall) {
        guard waiting.count < DaprLimits.waitingCalls else {
            let error = RPCError(
                code: .unavailable, message: "\(waiting.count) calls wait for it already")
            call.answer(.failure(error))
            return
        }
        call.place = .waiting
        waiting.append(call)
        armTimer()
    }

    private func armTimer() {
        guard let first = waiting.lazy.map(\.deadline).min() else { return }
        timer.arm(first, on: eventLoop) {
            self.timer.cancel()
            self.failLate()
            self.armTimer()
        }
    }

    private func failLate() {
        let now = NIODeadline.now()
        let late = waiting.filter { $0.deadline <= now }
        waiting.removeAll { $0.deadline <= now }
        for call in late { call.answer(.failure(Self.lateError)) }
    }

    private func failWaiting(_ error: RPCError) {
        let calls = waiting
        waiting.removeAll()
        for call in calls { call.answer(.failure(error)) }
    }

    private func cancel(_ call: PendingCall) {
        call.isCancelled = true
        switch call.place {
        case .open(let handler, let stream): handler.cancel(stream)
        case .waiting: waiting.removeAll { $0 === call }
        case .none: break
        }
        call.answer(.failure(Self.cancelledError))
    }

    private func startWaiting() {
        guard case .open(let handler) = state, !waiting.isEmpty else { return }
        let now = NIODeadline.now()
        while handler.hasRoom, let call = waiting.popFirst() {
            if call.deadline > now {
                handler.start(call, now: now)
            } else {
                call.answer(.failure(Self.lateError))
            }
        }
    }

    // MARK: Connections

    private func dial() {
        state = .dialing
        let fixed = self.fixed
        dialer.dial(on: eventLoop) {
            CallHandler(fixed, now: self.eventLoop.now) { self.heard($1, from: $0) }
        }.whenFailure { error in
            self.dialFailed(
                RPCError(
                    code: .unavailable, message: "it cannot be dialled",
                    cause: CallDialer.cause(of: error)))
        }
    }

    private func dialFailed(_ error: RPCError) {
        guard case .dialing = state else { return }
        state = .resting(.now() + nextRest(), error)
        failWaiting(error)
    }

    private func nextRest() -> TimeAmount {
        let first = Double(TimeAmount(DaprLimits.firstReconnect).nanoseconds)
        let longest = Double(TimeAmount(DaprLimits.longestReconnect).nanoseconds)
        var rest = first
        for _ in 0..<min(failures, 32) { rest = min(rest * DaprLimits.reconnectGrowth, longest) }
        failures += 1
        return .nanoseconds(Int64(rest * Double.random(in: DaprLimits.reconnectJitter)))
    }

    private func heard(_ event: CallHandler.Event, from handler: CallHandler) {
        switch event {
        case .opened:
            handlers[ObjectIdentifier(handler)] = handler
            guard case .dialing = state else { return handler.drain() }
            state = .open(handler)
            failures = 0
            startWaiting()
        case .room: startWaiting()
        case .draining: left(handler)
        case .closed(let error):
            left(handler)
            let wasOpen = handlers.removeValue(forKey: ObjectIdentifier(handler)) != nil
            if !wasOpen { dialFailed(error) }
            finishClosing()
        }
    }

    /// No call begins on it any more; what waits needs another one.
    private func left(_ handler: CallHandler) {
        guard case .open(let current) = state, current === handler else { return }
        state = .idle
        if !waiting.isEmpty { dial() }
    }

    private func finishClosing() {
        guard case .closed = state, handlers.isEmpty else { return }
        let closers = self.closers
        self.closers = []
        for closer in closers { closer.resume() }
    }
}

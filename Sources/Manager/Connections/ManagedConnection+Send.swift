package import ManagerCore
import NIOCore
import Spec
import WebSocket

/// Why a message could not be sent, or had no reply.
package enum SendFailure: Error, Sendable, Hashable {
    case notConnected
    case timedOut(after: Duration)
    case refused(CorrelationRefusal)
    /// The socket did not take it; the sentence says why.
    case failed(String)
    /// More bytes wait for the socket than may.
    case writeBufferFull(String)
    case cancelled
    /// This instance may not act for the connection now: it is fenced, or hands it over.
    case fenced
}

/// Who waits for a reply; answered exactly once.
struct ReplyWaiter: Sendable {
    var continuation: CheckedContinuation<[UInt8], any Error>
    var timeout: Duration
}

/// What a connection knows of replies; made with its first request. Confined to its event loop.
final class ConnectionRequests {
    var replies = PendingReplies<ReplyWaiter>()
    var timer = LoopTimer()
    /// `nil` if the spec holds what the compiler would have refused.
    var rule: CorrelationRule?

    init(_ spec: ConnectionSpec.Correlation) {
        rule = CorrelationRule(spec: spec)
    }
}

extension ManagedConnection {
    /// Sends a message and waits for its reply. Any thread.
    ///
    /// - Parameter timeout: `nil` is the connection's `correlation.timeout`.
    /// - Throws: ``SendFailure``.
    package func request(
        _ message: [UInt8], isText: Bool, timeout: Duration?
    ) async throws -> [UInt8] {
        let ticket = ReplyTicket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                eventLoop.execute {
                    self.startRequest(
                        message, isText: isText, timeout: timeout, ticket: ticket, continuation)
                }
            }
        } onCancel: {
            eventLoop.execute {
                ticket.isCancelled = true
                guard let token = ticket.token else { return }
                self.cancelReply(token, .cancelled)
            }
        }
    }

    /// Sends a message as it is; returns once the socket has taken it. Any thread.
    package func send(_ message: [UInt8], isText: Bool) async throws {
        let written = eventLoop.makePromise(of: Void.self)
        eventLoop.execute {
            guard let socket = self.openSocket else {
                written.fail(SendFailure.notConnected)
                return
            }
            guard self.mayBeginSending else {
                written.fail(SendFailure.fenced)
                return
            }
            socket.send(isText ? .text : .binary, message, promise: written)
        }
        do {
            try await written.futureResult.get()
        } catch {
            throw SendFailure(error)
        }
    }

    private var mayBeginSending: Bool { right.mayReachOut && !isStopped }

    private var openSocket: WebSocketConnection? {
        if case .open = machine.state { socket } else { nil }
    }

    private func startRequest(
        _ message: [UInt8], isText: Bool, timeout: Duration?, ticket: ReplyTicket,
        _ continuation: CheckedContinuation<[UInt8], any Error>
    ) {
        guard !ticket.isCancelled else {
            continuation.resume(throwing: SendFailure.cancelled)
            return
        }
        let requests = self.requests ?? ConnectionRequests(desired.spec.correlation)
        self.requests = requests
        guard openSocket != nil, let rule = requests.rule else {
            continuation.resume(throwing: SendFailure.notConnected)
            return
        }
        guard mayBeginSending else {
            continuation.resume(throwing: SendFailure.fenced)
            return
        }
        let timeout = timeout ?? desired.spec.correlation.timeout
        let prepared = requests.replies.prepare(
            message, isText: isText, rule: rule,
            waiter: ReplyWaiter(continuation: continuation, timeout: timeout),
            deadline: now.advanced(by: timeout), freshID: UUIDBytes.random(using: &generator))
        switch prepared {
        case .send(let frame, let token):
            ticket.token = token
            write(frame, token: token)
        case .queued(let token):
            ticket.token = token
        case .refused(let refusal):
            continuation.resume(throwing: SendFailure.refused(refusal))
        }
        armReplies()
    }

    private func write(
        _ frame: PendingReplies<ReplyWaiter>.Frame,
        token: PendingReplies<ReplyWaiter>.Token?
    ) {
        guard let socket = openSocket else { return }
        guard right.mayReachOut else {
            if let token { cancelReply(token, .fenced) }
            return
        }
        let written = eventLoop.makePromise(of: Void.self)
        written.futureResult.whenFailure { error in
            guard let token else { return }
            self.cancelReply(token, SendFailure(error))
        }
        socket.send(frame.isText ? .text : .binary, frame.bytes, promise: written)
    }

    /// True if the message was a reply somebody waits for: it is theirs and is not published.
    func takeAsReply(_ message: WebSocketMessage) -> Bool {
        guard let requests,
            let reply = requests.replies.received(
                message.payload, isText: message.kind == .text)
        else { return false }
        reply.waiter.continuation.resume(returning: reply.response)
        if let next = reply.thenSend { write(next, token: requests.replies.nextToken) }
        return true
    }

    /// Sends whose reply has not come yet.
    var repliesAwaited: Int { requests?.replies.count ?? 0 }

    private func cancelReply(
        _ token: PendingReplies<ReplyWaiter>.Token, _ failure: SendFailure
    ) {
        guard let requests else { return }
        endReplies(requests.replies.cancelled(token), failure)
    }

    func failReplies(_ failure: SendFailure) {
        if let requests {
            for waiter in requests.replies.failAll() {
                waiter.continuation.resume(throwing: failure)
            }
            requests.timer.cancel()
        }
        repliesChanged()
    }

    private func endReplies(
        _ ended: PendingReplies<ReplyWaiter>.Ended, _ failure: SendFailure?
    ) {
        for waiter in ended.waiters {
            waiter.continuation.resume(
                throwing: failure ?? SendFailure.timedOut(after: waiter.timeout))
        }
        if let next = ended.thenSend { write(next, token: requests?.replies.nextToken) }
        repliesChanged()
    }

    /// A connection that is to come to rest waits for its replies.
    private func repliesChanged() {
        guard isStopped, repliesAwaited == 0 else { return }
        lastReplies.cancel()
        balanceReading()
        checkQuiet()
    }

    private func armReplies() {
        guard let requests, let deadline = requests.replies.nextDeadline else { return }
        requests.timer.arm(deadline, now: now, on: eventLoop) {
            self.repliesDue()
        }
    }

    private func repliesDue() {
        guard let requests else { return }
        requests.timer.fired()
        endReplies(requests.replies.deadlinePassed(now: now), nil)
        armReplies()
    }
}

extension SendFailure {
    init(_ error: any Error) {
        switch error {
        case let failure as SendFailure:
            self = failure
        case let error as WebSocketError where error.code == .writeBufferFull:
            self = .writeBufferFull(error.message)
        case let error as WebSocketError where error.code == .notOpen:
            self = .notConnected
        default:
            self = .failed("\(error)")
        }
    }
}

/// Ties the task that waits to its place in the machine. Touched on the event loop only.
private final class ReplyTicket: @unchecked Sendable {
    var token: PendingReplies<ReplyWaiter>.Token?
    var isCancelled = false
}

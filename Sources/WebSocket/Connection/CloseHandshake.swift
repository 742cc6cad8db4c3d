/// Tracks how a connection ends: who began, what both sides said, what is still to be waited for.
///
/// A machine without sockets and clocks: each event returns what is to be done. The shell sends the
/// frame it is told to, starts the timer it is told to (each replaces the one before) and tells
/// when it has passed.
struct CloseHandshake: Sendable {
    enum State: Sendable, Hashable {
        /// Can transition to: `awaitingPeer`, `finishing`, `ended`.
        case open
        /// Our close frame is out, the peer's has not come. Can transition to: `finishing`, `ended`.
        case awaitingPeer
        /// Nothing more is to be read; the transport's end is awaited. Can transition to: `ended`.
        case finishing
        case ended
    }

    /// What the shell has to do.
    enum Action: Sendable, Hashable {
        case none
        /// Send the frame, then wait `closeTimeout` for the peer's.
        case sendAndAwaitPeer(CloseFrame)
        /// Send the frame within `closeTimeout`, then end our direction of the transport and wait
        /// `closeGrace` for its end.
        case sendAndFinish(CloseFrame)
        /// Both frames are exchanged, the server ends the transport: wait `closeGrace` for that.
        case awaitTransportEnd
        /// End the transport now.
        case cut
    }

    private(set) var state: State = .open
    private var initiator: WebSocketClose.Initiator = .transport
    /// Nil until anything is said of an end.
    @Apart private var account: Account? = nil

    /// What both sides said, and what went wrong first.
    private struct Account: Sendable {
        var sent: CloseFrame?
        var received: CloseFrame?
        var error: WebSocketError?
    }

    /// Whether data and pings may be sent.
    var maySend: Bool { self.state == .open }

    /// The owner wants to end the connection; of no effect once it is ending.
    mutating func closeRequested(_ frame: CloseFrame) -> Action {
        guard self.state == .open else { return .none }
        self.initiator = .local
        self.tell { $0.sent = frame }
        self.state = .awaitingPeer
        return .sendAndAwaitPeer(frame)
    }

    /// The owner wants the transport gone now.
    mutating func aborted() -> Action {
        guard self.state != .ended else { return .none }
        if self.initiator == .transport { self.initiator = .local }
        if self.state != .finishing { self.note(WebSocketError(.aborted, "cut by us")) }
        return .cut
    }

    /// The peer's close frame came; an answer carries the peer's code (RFC 6455, 5.5.1).
    mutating func closeFrameReceived(_ frame: CloseFrame) -> Action {
        switch self.state {
        case .open:
            self.initiator = .remote
            let answer = CloseFrame(answering: frame)
            self.tell { ($0.received, $0.sent) = (frame, answer) }
            self.state = .finishing
            return .sendAndFinish(answer)
        case .awaitingPeer:
            self.tell { $0.received = frame }
            self.state = .finishing
            return .awaitTransportEnd
        case .finishing, .ended:
            return .none
        }
    }

    /// The peer sent what cannot be read on from.
    mutating func failed(_ error: WebSocketError) -> Action {
        switch self.state {
        case .open:
            self.initiator = .local
            self.note(error)
            self.state = .finishing
            let frame = CloseFrame(
                sending: error.closeCode ?? CloseCode.protocolError, reason: error.message)
            self.tell { $0.sent = frame }
            return .sendAndFinish(frame)
        case .awaitingPeer:
            self.note(error)
            self.state = .finishing
            return .cut
        case .finishing, .ended:
            return .none
        }
    }

    /// The timer that was asked for last has passed.
    mutating func deadlinePassed() -> Action {
        switch self.state {
        case .awaitingPeer:
            self.note(WebSocketError(.closeTimedOut, "no close frame from the peer in time"))
            return .cut
        case .finishing:
            return .cut
        case .open, .ended:
            return .none
        }
    }

    /// The transport is gone.
    /// - Parameter cause: What the transport said; counts only when no close handshake is done.
    /// - Returns: The account of the end, once.
    mutating func transportEnded(_ cause: WebSocketError?) -> WebSocketClose? {
        guard self.state != .ended else { return nil }
        if self.state != .finishing {
            let silent = WebSocketError(
                .connectionClosed, "ended by the peer without a close frame")
            self.note(cause ?? silent)
        }
        self.state = .ended
        let account = self.account ?? Account()
        return WebSocketClose(
            sentCode: account.sent?.code, sentReason: account.sent?.reason ?? "",
            receivedCode: account.received?.code, receivedReason: account.received?.reason ?? "",
            initiator: self.initiator, error: account.error,
            wasClean: account.sent != nil && account.received != nil && account.error == nil)
    }

    /// Keeps the first error: what follows is its consequence.
    private mutating func note(_ error: WebSocketError) {
        self.tell { if $0.error == nil { $0.error = error } }
    }

    private mutating func tell(_ change: (inout Account) -> Void) {
        var account = self.account.take() ?? Account()
        change(&account)
        self.account = account
    }
}

extension CloseFrame {
    /// The answer to a peer's close frame: its code without its reason, or an empty frame.
    fileprivate init(answering frame: CloseFrame) {
        self = frame.code.map { CloseFrame(sending: $0, reason: "") } ?? .empty
    }
}

import ManagerCore
import WebSocket

extension LinkFailure {
    /// Why a dial failed, classed.
    init(_ error: any Error, at time: WallTime) {
        guard let error = error as? WebSocketDialError else {
            self.init(
                failureClass: .transient, code: "other", message: "\(error)", at: time)
            return
        }
        let failureClass: FailureClass =
            switch error.code {
            case .httpStatus: error.httpStatus.map(FailureClass.init(httpStatus:)) ?? .transient
            case .tlsVerification, .subprotocol, .compression, .badHandshake, .invalidRequest,
                .addressRefused:
                .configuration
            case .refused, .reset, .timedOut, .nameNotFound, .cancelled, .unreachable,
                .notPermitted,
                .other:
                .transient
            }
        self.init(
            failureClass: failureClass,
            code: error.httpStatus.map { "http\($0)" } ?? error.code.rawValue,
            message: error.message, at: time, retryAfter: error.retryAfter)
    }

    /// Why a socket ended; `nil` if the peer closed in order (1000, 1001) or we asked for it.
    init?(_ close: WebSocketClose, at time: WallTime) {
        if let error = close.error {
            let failureClass: FailureClass =
                switch error.code {
                case .protocolViolation, .invalidUTF8, .badCompression, .messageTooBig: .policy
                default: .transient
                }
            self.init(
                failureClass: failureClass, code: error.code.rawValue, message: error.message,
                at: time)
            return
        }
        guard close.initiator == .remote, let code = close.receivedCode,
            code != 1000, code != 1001
        else { return nil }
        let reason = close.receivedReason.isEmpty ? "" : ": \(close.receivedReason)"
        self.init(
            failureClass: FailureClass(closeCode: code), code: "close\(code)",
            message: "the server closed with \(code)\(reason)", at: time)
    }
}

extension LinkClose {
    init(_ close: WebSocketClose, at time: WallTime) {
        let isOurs = close.initiator == .local
        let code = isOurs ? close.sentCode : close.receivedCode
        let side: Side =
            switch close.initiator {
            case .local: .local
            case .remote: .remote
            case .transport: .transport
            }
        self.init(
            code: code ?? (close.initiator == .remote && close.wasClean ? 1005 : 1006),
            reason: isOurs ? close.sentReason : close.receivedReason, by: side, at: time)
    }
}

package import ManagerCore

/// A refusal of the API, before it is a gRPC status.
///
/// `message` is what the caller reads: one sentence it can act on. Texts of the older service are
/// kept to the letter where its clients look at them.
package struct ManagerError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        case invalidArgument, notFound, failedPrecondition, aborted, resourceExhausted
        case deadlineExceeded, unavailable, cancelled, permissionDenied
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    package static let connectionNotFound = ManagerError(.notFound, "Connection not found")
    package static let notConnected = ManagerError(
        .failedPrecondition, "WebSocket is not connected")
    package static let topicRequired = ManagerError(.invalidArgument, "Topic is required")

    package init(_ failure: SendFailure) {
        switch failure {
        case .notConnected: self = .notConnected
        case .timedOut: self.init(.deadlineExceeded, "Request timeout")
        case .refused(.tooManyPending(let limit)):
            self.init(
                .resourceExhausted,
                CorrelationRefusal.tooManyPending(limit: limit).description)
        case .refused(let refusal): self.init(.invalidArgument, refusal.description)
        case .failed(let sentence):
            self.init(.unavailable, "the message could not be sent: \(sentence)")
        case .writeBufferFull(let sentence): self.init(.resourceExhausted, sentence)
        case .cancelled: self.init(.cancelled, "the caller went away")
        case .fenced:
            self.init(
                .unavailable,
                "this instance may not act for the connection at this moment, which moves to "
                    + "another one or waits for the state store; try again in a few seconds")
        }
    }

    /// Why a Connect's first dial failed.
    package init(connectFailure failure: LinkFailure) {
        let code: Code =
            switch failure.code {
            case "timedOut": .deadlineExceeded
            case "invalidRequest", "invalidSpec": .invalidArgument
            case LinkFailure.addressRefused: .permissionDenied
            default: .unavailable
            }
        self.init(code, failure.message)
    }
}

/// Why a dial failed: one line an operator can act on.
///
/// Neither the message nor the description contains a request header's value or the query of the
/// URL, so both may be logged and shown.
package struct WebSocketDialError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Phase: String, Sendable, Hashable {
        case resolve
        case connect
        case tls
        case upgrade
        /// Not of one phase: the whole dial's deadline, a cancel, a request that cannot be sent.
        case total
    }

    package enum Code: String, Sendable, Hashable {
        case refused
        case reset
        case timedOut
        case nameNotFound
        /// The certificate is not trusted, not for this name, or ours was not accepted.
        case tlsVerification
        /// The server answered with another status than 101; `httpStatus` has it.
        case httpStatus
        /// The answer is not a valid WebSocket handshake.
        case badHandshake
        /// The server chose a subprotocol that was not offered, or none where one is required.
        case subprotocol
        /// The server does not compress and compression is required.
        case compression
        case cancelled
        case unreachable
        /// The request or its TLS material cannot be used; dialling again will not help.
        case invalidRequest
        /// Every address of the host was refused by the request's `addressFilter`; nothing was sent.
        case addressRefused
        /// The request's `permit` did not hold any more.
        case notPermitted
        case other
    }

    package var phase: Phase
    package var code: Code
    /// The status of an answer other than 101.
    package var httpStatus: Int?
    /// The target of a redirect, as the server wrote it (it may hold a query: do not log it).
    package var location: String?
    /// How long the server asks to wait.
    package var retryAfter: Duration?
    package var message: String

    package init(
        phase: Phase,
        code: Code,
        httpStatus: Int? = nil,
        location: String? = nil,
        retryAfter: Duration? = nil,
        message: String
    ) {
        self.phase = phase
        self.code = code
        self.httpStatus = httpStatus
        self.location = location
        self.retryAfter = retryAfter
        self.message = message
    }

    package var description: String { self.message }
}

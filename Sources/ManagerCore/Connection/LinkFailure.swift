/// What kind of fault ended a dial or a socket, and so how the next attempt is timed.
///
/// The one place where errors are classed; see ``init(httpStatus:)`` and ``init(closeCode:)``.
package enum FailureClass: String, Sendable, Hashable, CaseIterable {
    /// Refused, reset, timed out, gone: tried again with back-off.
    case transient
    /// The server asked for less (429, 503, close 1013): tried again with back-off, not before
    /// `Retry-After`.
    case throttled
    /// Credentials were refused (401, 403, 407, close 3000, 3003): tried again at the back-off's
    /// cap, since only an edit or a new secret helps and a storm would get the account locked.
    case authentication
    /// The declaration does not fit the server (other 4xx, subprotocol, compression, certificate), or
    /// its address may not be dialled: as ``authentication``.
    case configuration
    /// The server closed by a rule of its own (1002, 1003, 1007-1010): tried again with back-off.
    case policy

    /// - Parameter httpStatus: of an answer to the upgrade that was not 101.
    package init(httpStatus: Int) {
        switch httpStatus {
        case 429, 503: self = .throttled
        case 401, 403, 407: self = .authentication
        case 300..<500: self = .configuration
        default: self = .transient
        }
    }

    /// - Parameter closeCode: received from the peer (RFC 6455, section 7.4; IANA registry).
    package init(closeCode: UInt16) {
        switch closeCode {
        case 1013: self = .throttled
        case 3000, 3003: self = .authentication
        case 1002, 1003, 1007, 1008, 1009, 1010: self = .policy
        default: self = .transient
        }
    }

    /// True if trying again soon cannot help.
    var waitsForTheCap: Bool { self == .authentication || self == .configuration }
}

/// Why a dial failed or a socket ended, fit to be shown, stored and published.
package struct LinkFailure: Sendable, Hashable {
    package var failureClass: FailureClass
    /// A short stable word: `refused`, `timedOut`, `http503`, `pongTimeout`, `close1006`, …
    package var code: String
    /// One line an operator can act on. Never a secret, a header value or a query.
    package var message: String
    package var at: WallTime
    /// From `Retry-After`; bounded by ``longestRetryAfter``.
    package var retryAfter: Duration?

    /// The ``code`` of a dial whose every address the egress guard refused.
    package static let addressRefused = "addressRefused"

    /// A server that asks for more is asked again after this: an hour, so that a wrong header does
    /// not silence a feed for a day.
    package static let longestRetryAfter: Duration = .seconds(3600)

    package init(
        failureClass: FailureClass, code: String, message: String, at: WallTime,
        retryAfter: Duration? = nil
    ) {
        self.failureClass = failureClass
        self.code = code
        self.message = message
        self.at = at
        self.retryAfter = retryAfter.map { min($0, Self.longestRetryAfter) }
    }
}

/// How the last socket ended, both sides kept (RFC 6455, section 7.1.5).
package struct LinkClose: Sendable, Hashable {
    package enum Side: String, Sendable, Hashable {
        case local, remote, transport
    }

    /// The peer's code if it sent one, else ours, else 1006.
    package var code: UInt16
    package var reason: String
    package var by: Side
    package var at: WallTime

    package init(code: UInt16, reason: String, by: Side, at: WallTime) {
        self.code = code
        self.reason = reason
        self.by = by
        self.at = at
    }
}

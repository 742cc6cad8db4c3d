package import ManagerCore

/// The values a metric's labels may take, all of them known beforehand: no series appears late, and
/// none carries a name, an address or a URL.
package protocol MetricLabels: Hashable, Sendable, CaseIterable {
    /// Names of the labels, in their order.
    static var names: [String] { get }
    var values: [String] { get }
}

/// How a dial ended.
package enum DialOutcome: MetricLabels {
    case success
    /// Told to close before it was up.
    case cancelled
    case failure(FailureClass)

    package static let names = ["result", "cause"]
    package static let allCases: [DialOutcome] =
        [.success, .cancelled] + FailureClass.allCases.map(DialOutcome.failure)

    package var values: [String] {
        switch self {
        case .success: ["success", "none"]
        case .cancelled: ["cancelled", "none"]
        case .failure(let cause): ["failure", cause.rawValue]
        }
    }
}

/// How a socket that was up ended.
package struct DisconnectKind: MetricLabels {
    package enum Cause: String, Sendable, CaseIterable {
        /// The peer sent a close frame.
        case peer
        /// The transport broke.
        case transport
        /// We closed since the peer broke a rule or did not answer.
        case fault
        /// We closed for an edit that needs a new socket.
        case reopen
        /// We closed since it is no longer desired.
        case removed
        /// We closed since the process ends.
        case shutdown
        /// We closed since this instance may not act for the connection, for a while or for good.
        case fenced
    }

    package let cause: Cause
    package let code: CloseCodeGroup

    package static let names = ["cause", "close_code"]
    package static let allCases: [DisconnectKind] = Cause.allCases.flatMap { cause in
        CloseCodeGroup.allCases.map { DisconnectKind(cause: cause, code: $0) }
    }

    package var values: [String] { [cause.rawValue, code.rawValue] }
}

/// Close codes, those that tell operators apart on their own and the rest by range (RFC 6455,
/// section 7.4).
package enum CloseCodeGroup: String, Sendable, CaseIterable {
    case normal = "1000"
    case goingAway = "1001"
    case abnormal = "1006"
    case policyViolation = "1008"
    case tooBig = "1009"
    case internalError = "1011"
    case serviceRestart = "1012"
    case tryAgainLater = "1013"
    case otherOfProtocol = "1xxx"
    case registered = "3xxx"
    case ofApplication = "4xxx"
    case other

    package init(_ code: UInt16) {
        if let known = CloseCodeGroup(rawValue: String(code)) {
            self = known
            return
        }
        switch code {
        case 1000..<3000: self = .otherOfProtocol
        case 3000..<4000: self = .registered
        case 4000..<5000: self = .ofApplication
        default: self = .other
        }
    }
}

/// What became of a ping.
package enum PingResult: String, MetricLabels {
    case answered, unanswered

    package static let names = ["result"]
    package var values: [String] { [rawValue] }
}

/// What became of a message that was read for a shard that another instance owned.
package enum ShadowFate: String, MetricLabels {
    /// The owner had published it.
    case matched
    /// The shard came over, and it was published here, or dropped by a policy.
    case kept
    /// The socket dropped, no room was left, or the shard did not come.
    case discarded

    package static let names = ["fate"]
    package var values: [String] { [rawValue] }
}

/// What became of a Send or SendRaw.
package enum SendResult: String, MetricLabels {
    case ok, timeout, notConnected, refused, failed, cancelled
    /// This instance might not act for the connection at that moment.
    case fenced

    package static let names = ["result"]
    package var values: [String] { [rawValue] }
}

/// One call to the state store.
package struct StoreOperation: MetricLabels {
    package enum Kind: String, Sendable, CaseIterable {
        case get, bulkGet, write
    }

    package enum Result: String, Sendable, CaseIterable {
        case ok
        /// A condition did not hold.
        case conflict
        /// A read failed, or nobody can tell what a write did.
        case error
    }

    package let kind: Kind
    package let result: Result

    package static let names = ["op", "result"]
    package static let allCases: [StoreOperation] = Kind.allCases.flatMap { kind in
        Result.allCases.filter { kind == .write || $0 != .conflict }
            .map { StoreOperation(kind: kind, result: $0) }
    }

    package var values: [String] { [kind.rawValue, result.rawValue] }
}

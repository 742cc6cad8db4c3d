import GRPCCore

/// How a call ended that did not end well, for each of the protocols.
struct RPCFailure: Error, Sendable, Hashable {
    /// Of gRPC.
    var code: RPCError.Code
    /// One that an operator can act on.
    var message: String
    /// The fields that are wrong.
    var problems: [FieldProblem] = []
    /// Where HTTP knows better than the code's own status.
    var status: Int?
    /// Methods that the path has, for 405.
    var allowed: [String] = []
    /// When to try again, where the service says so.
    var retryAfterSeconds: UInt?

    init(_ code: RPCError.Code, _ message: String, status: Int? = nil) {
        self.code = code
        self.message = message
        self.status = status
    }

    init(_ problem: FieldProblem) {
        self.init(.invalidArgument, problem.description)
        if !problem.path.isEmpty { problems = [problem] }
    }

    /// What a call threw.
    init(_ error: any Error) {
        switch error {
        case let failure as RPCFailure: self = failure
        case let problem as FieldProblem: self.init(problem)
        case let error as RPCError:
            self.init(error.code, error.message)
            retryAfterSeconds = error.metadata[stringValues: "retry-after"].lazy
                .compactMap { UInt($0) }.first { _ in true }
        case is CancellationError: self.init(.cancelled, "the call was cancelled")
        default: self.init(.internalError, "the call failed: \(type(of: error))")
        }
    }

    static let callerLeft = RPCFailure(.cancelled, "the caller has left")

    static let goingAway = RPCFailure(
        .unavailable, "the server is going away: try again in a few seconds")
}

extension RPCError.Code {
    /// As it stands in error bodies: `NOT_FOUND`.
    var wireName: String {
        switch self {
        case .cancelled: "CANCELLED"
        case .invalidArgument: "INVALID_ARGUMENT"
        case .deadlineExceeded: "DEADLINE_EXCEEDED"
        case .notFound: "NOT_FOUND"
        case .alreadyExists: "ALREADY_EXISTS"
        case .permissionDenied: "PERMISSION_DENIED"
        case .resourceExhausted: "RESOURCE_EXHAUSTED"
        case .failedPrecondition: "FAILED_PRECONDITION"
        case .aborted: "ABORTED"
        case .outOfRange: "OUT_OF_RANGE"
        case .unimplemented: "UNIMPLEMENTED"
        case .internalError: "INTERNAL"
        case .unavailable: "UNAVAILABLE"
        case .dataLoss: "DATA_LOSS"
        case .unauthenticated: "UNAUTHENTICATED"
        default: "UNKNOWN"
        }
    }

    /// The mapping that google.rpc.Code documents; Connect's is the same.
    var httpStatus: Int {
        switch self {
        case .cancelled: 499
        case .invalidArgument, .failedPrecondition, .outOfRange: 400
        case .deadlineExceeded: 504
        case .notFound: 404
        case .alreadyExists, .aborted: 409
        case .permissionDenied: 403
        case .resourceExhausted: 429
        case .unimplemented: 501
        case .unavailable: 503
        case .unauthenticated: 401
        default: 500
        }
    }
}

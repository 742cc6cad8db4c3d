internal import GRPCCore
internal import GRPCProtobuf

/// Why a call to the sidecar did not do what was asked.
package struct DaprError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// The sidecar is not set up for it (component, permission, token): it stays so until
        /// somebody changes that.
        case configuration
        /// The request is refused for what it holds; nothing of it took effect.
        case refused
        /// Above a message limit of the sidecar, or its answer above it.
        case tooLarge
        /// The store says that a condition did not hold. On Redis any fault of the store is called
        /// so, too.
        case conflict
        /// This version of the sidecar does not know the call.
        case unsupported
        /// No sidecar, or none any more. The call may have taken effect.
        case unreachable
        /// No answer in time. The call may take effect later.
        case noAnswer
        /// The component failed. The call may have taken effect.
        case failed
    }

    package var kind: Kind
    /// Dapr's own word for the fault, from 1.15 on.
    package var reason: String?
    /// One sentence.
    package var message: String

    package init(_ kind: Kind, reason: String? = nil, _ message: String) {
        self.kind = kind
        self.reason = reason
        self.message = message
    }

    package var description: String { message }
}

extension DaprError {
    /// The sidecar at an address answered a call with an error, or not at all.
    init(_ error: any Error, calling call: String, at endpoint: DaprEndpoint) {
        guard let rpc = error as? RPCError else {
            let isCancelled = error is CancellationError
            self.init(
                isCancelled ? .noAnswer : .unreachable,
                "the Dapr sidecar at \(endpoint) did not answer \(call): \(error)")
            return
        }
        let reason = Self.reason(of: rpc)
        let kind = Self.kind(of: rpc.code, reason: reason)
        self.init(kind, reason: reason, Self.sentence(kind, rpc, calling: call, at: endpoint))
    }

    private static func reason(of error: RPCError) -> String? {
        // Details that cannot be read only leave the fault without its word.
        guard let status = try? error.unpackGoogleRPCStatus() else { return nil }
        return status.details.lazy.compactMap { $0.errorInfo?.reason }.first
    }

    private static func kind(of code: RPCError.Code, reason: String?) -> Kind {
        switch code {
        case .aborted: .conflict
        case .resourceExhausted: .tooLarge
        case .failedPrecondition, .unauthenticated, .permissionDenied: .configuration
        case .unimplemented: .unsupported
        case .unavailable: .unreachable
        case .deadlineExceeded, .cancelled: .noAnswer
        case .invalidArgument, .notFound:
            namesTheComponent(reason) ? .configuration : .refused
        default: .failed
        }
    }

    private static func namesTheComponent(_ reason: String?) -> Bool {
        guard let reason else { return false }
        return reason.hasSuffix("_NOT_FOUND") || reason.hasSuffix("_NOT_CONFIGURED")
            || reason.hasSuffix("_NAME_EMPTY")
    }

    private static func sentence(
        _ kind: Kind, _ error: RPCError, calling call: String, at endpoint: DaprEndpoint
    ) -> String {
        let said = rootCause(of: error)
        return switch kind {
        case .unreachable:
            "the Dapr sidecar at \(endpoint) cannot be reached: \(said)"
        case .noAnswer:
            "the Dapr sidecar at \(endpoint) did not answer \(call) in time"
        case .unsupported:
            "the Dapr sidecar at \(endpoint) does not know \(call): \(said)"
        case .configuration where error.code == .unauthenticated:
            "the Dapr sidecar at \(endpoint) does not let us in: DAPR_API_TOKEN must be the same on "
                + "both sides (\(said))"
        default:
            "the Dapr sidecar at \(endpoint) refused \(call): \(said)"
        }
    }

    /// The transport wraps what the system said.
    private static func rootCause(of error: RPCError) -> String {
        var found: any Error = error
        while let cause = (found as? RPCError)?.cause { found = cause }
        if let rpc = found as? RPCError { return rpc.message }
        return "\(found)"
    }
}

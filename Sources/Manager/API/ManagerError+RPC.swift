package import GRPCCore

extension ManagerError: RPCErrorConvertible {
    package var rpcErrorCode: RPCError.Code {
        switch code {
        case .invalidArgument: .invalidArgument
        case .notFound: .notFound
        case .failedPrecondition: .failedPrecondition
        case .aborted: .aborted
        case .resourceExhausted: .resourceExhausted
        case .deadlineExceeded: .deadlineExceeded
        case .unavailable: .unavailable
        case .cancelled: .cancelled
        case .permissionDenied: .permissionDenied
        }
    }

    package var rpcErrorMessage: String { message }
}

extension TwoTierStore.NotCommitted: RPCErrorConvertible {
    package var rpcErrorCode: RPCError.Code { .unavailable }
    package var rpcErrorMessage: String { description + "; try again in a few seconds" }
}

extension TwoTierStore.NotReadable: RPCErrorConvertible {
    package var rpcErrorCode: RPCError.Code { .unavailable }
    package var rpcErrorMessage: String { description + "; try again in a few seconds" }
}

extension TwoTierStore.Contended: RPCErrorConvertible {
    package var rpcErrorCode: RPCError.Code { .aborted }
    package var rpcErrorMessage: String { description }
}

extension PruneRefused: RPCErrorConvertible {
    package var rpcErrorCode: RPCError.Code { .failedPrecondition }
    /// The prefix is part of the contract with the command line.
    package var rpcErrorMessage: String { "prune guard: " + description }
}

extension ApplyAborted: RPCErrorConvertible {
    package var rpcErrorCode: RPCError.Code { .aborted }
    package var rpcErrorMessage: String { description }
}

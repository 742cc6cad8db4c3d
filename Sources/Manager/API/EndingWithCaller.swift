import GRPCCore

extension ConnectionOperations {
    /// ``endingWithCaller(_:isEnding:_:)`` of this server.
    func endingWithCaller<Result: Sendable>(
        _ context: ServerContext, on executor: (any TaskExecutor)? = nil,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await Manager.endingWithCaller(context, isEnding: isEnding, on: executor, body)
    }
}

/// Runs the work of one call so that it ends when its caller leaves.
///
/// gRPC tells of a caller that left through a handle only and lets the handler run on: a watch
/// over records that never change would stay for ever. The same handle tells of the server's
/// end; then the work goes on, since what it waits for is ended in good order.
func endingWithCaller<Result: Sendable>(
    _ context: ServerContext, isEnding: @escaping @Sendable () -> Bool,
    on executor: (any TaskExecutor)? = nil, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    let work = Task(executorPreference: executor) { try await body() }
    return try await withTaskCancellationHandler {
        try await withRPCCancellationHandler {
            // The handler is not called for a caller that has left already.
            if context.cancellation.isCancelled, !isEnding() { work.cancel() }
            return try await work.value
        } onCancelRPC: {
            if !isEnding() { work.cancel() }
        }
    } onCancel: {
        work.cancel()
    }
}

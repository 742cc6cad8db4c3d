package import GRPCCore
import Synchronization

/// The calls under way through the gateway, known to both ends of the in-process transport.
///
/// That transport buffers without bound and does not tell a service that its caller left. So each
/// call carries a number in its metadata; the interceptor finds the call by it, lets only
/// ``HTTPLimits/messagesInFlight`` messages be on their way, and tells the service through its
/// cancellation handle when the caller leaves, as the network transport does. A network client
/// cannot say such a number: what it sends never becomes metadata here.
package final class GatewayCalls: Sendable {
    static let metadataKey = "wsm-gateway-call"

    private struct State {
        var next = 1
        var calls: [String: GatewayCall] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The first interceptor of the in-process server.
    package var interceptor: any ServerInterceptor { CallGate(calls: self) }

    func begin() -> (key: String, call: GatewayCall) {
        let call = GatewayCall()
        let key = state.withLock { state in
            let key = String(state.next)
            state.next += 1
            state.calls[key] = call
            return key
        }
        return (key, call)
    }

    func end(_ key: String) {
        state.withLock { $0.calls.removeValue(forKey: key) }?.cancel()
    }

    func call(_ metadata: Metadata) -> GatewayCall? {
        guard let key = metadata[stringValues: Self.metadataKey].first(where: { _ in true }) else {
            return nil
        }
        return state.withLock { $0.calls[key] }
    }

    var count: Int { state.withLock { $0.calls.count } }
}

/// One call: what it has on its way, and how to end its work.
final class GatewayCall: Sendable {
    private struct State {
        var inFlight = 0
        var isCancelled = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var handle: ServerContext.RPCCancellationHandle?
    }

    private let state = Mutex(State())

    /// Waits until one more message may be on its way.
    ///
    /// - Throws: `CancellationError` once the caller has left.
    func willSend() async throws {
        while true {
            let mayGo = try state.withLock { state -> Bool in
                if state.isCancelled { throw CancellationError() }
                guard state.inFlight < HTTPLimits.messagesInFlight else { return false }
                state.inFlight += 1
                return true
            }
            if mayGo { return }
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    guard !state.isCancelled, state.inFlight >= HTTPLimits.messagesInFlight else {
                        return true
                    }
                    state.waiting.append(continuation)
                    return false
                }
                if isFree { continuation.resume() }
            }
        }
    }

    /// A message has reached the caller.
    func arrived() {
        let waiting = state.withLock { state in
            state.inFlight -= 1
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func cancel() {
        let (waiting, handle) = state.withLock { state in
            state.isCancelled = true
            defer {
                state.waiting = []
                state.handle = nil
            }
            return (state.waiting, state.handle)
        }
        for continuation in waiting { continuation.resume() }
        handle?.cancel()
    }

    /// What tells the service that its caller has left; told at once if that is so.
    func onCancel(_ handle: ServerContext.RPCCancellationHandle) {
        let isCancelled = state.withLock { state in
            state.handle = handle
            return state.isCancelled
        }
        if isCancelled { handle.cancel() }
    }
}

/// Ties the service's side of a call to its ``GatewayCall``.
struct CallGate: ServerInterceptor {
    let calls: GatewayCalls

    @concurrent
    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next:
            @concurrent @Sendable (
                _ request: StreamingServerRequest<Input>, _ context: ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        guard let call = calls.call(request.metadata) else {
            throw RPCError(code: .cancelled, message: "the caller has left")
        }
        call.onCancel(context.cancellation)
        let response = try await next(request, context)
        guard case .success(let contents) = response.accepted else { return response }
        return StreamingServerResponse(metadata: contents.metadata) { writer in
            try await contents.producer(
                RPCWriter(wrapping: BoundedWriter(base: writer, call: call)))
        }
    }
}

private struct BoundedWriter<Element: Sendable>: RPCWriterProtocol {
    let base: RPCWriter<Element>
    let call: GatewayCall

    func write(_ element: Element) async throws {
        try await call.willSend()
        try await base.write(element)
    }

    func write(contentsOf elements: some Sequence<Element>) async throws {
        for element in elements { try await write(element) }
    }
}

import GRPCCore
package import Logging
import Synchronization

/// A message that says which object a call is about, for the audit log.
package protocol AuditedMessage {
    /// Each as `kind/name`: `connection/btc-trades`, `set/prod`. Never a secret, so never a whole
    /// URL. Empty where the message does not say.
    var auditedObjects: [String] { get }
}

/// One line for every call that changes something, and for every call that was refused.
///
/// Who, by what, what, on which object, from where, and what became of it. Values are made of
/// visible characters only, so that no name can look like another line or field.
package struct AuditLog: Sendable {
    /// Refusals of callers nobody knows that are written in a row, and how many more a second:
    /// whoever can reach the port must not be able to fill the disk.
    static let refusalBurst = 50.0
    static let refusalsPerSecond = 5.0
    /// Of one value, in characters.
    static let longestValue = 256

    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let refusals: Refusals

    /// - Parameter logger: The line goes to `info` with `audit=true`.
    package init(
        logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        var logger = logger
        logger[metadataKey: "audit"] = "true"
        self.logger = logger
        self.now = now
        refusals = Refusals(now: now())
    }

    /// A change, or an attempt at one by somebody who may.
    ///
    /// - Parameter via: The instance that passed the call on; `nil` where the caller called here.
    func changed(
        _ method: String, objects: [String], by caller: Caller, via: String? = nil,
        outcome: String
    ) {
        var metadata: Logger.Metadata = [
            "caller": "\(Self.visible(caller.name))", "role": "\(caller.role.rawValue)",
            "means": "\(caller.means.rawValue)", "method": "\(Self.visible(method))",
            "objects": "\(Self.visible(objects.joined(separator: ",")))",
            "from": "\(Self.visible(caller.address))", "outcome": "\(outcome)",
        ]
        if let via { metadata["via"] = "\(Self.visible(via))" }
        logger.info("change", metadata: metadata)
    }

    func refused(_ request: AccessRequest, _ decision: AccessDecision) {
        let (reason, code): (String, String)
        switch decision {
        case .admitted: return
        case .unauthenticated(let sentence): (reason, code) = (sentence, "UNAUTHENTICATED")
        case .permissionDenied(let sentence): (reason, code) = (sentence, "PERMISSION_DENIED")
        }
        guard let leftOut = refusals.admit(at: now()) else { return }
        var metadata: Logger.Metadata = [
            "method": "\(Self.visible(request.method))", "from": "\(Self.visible(request.address))",
            "outcome": "\(code)", "reason": "\(Self.printable(reason))",
        ]
        if leftOut > 0 { metadata["left_out"] = "\(leftOut)" }
        logger.info("refused", metadata: metadata)
    }

    /// Everything but visible ASCII is written as its code point.
    static func visible(_ text: String) -> String {
        escaped(text) { (0x21...0x7E).contains($0.value) && $0 != "\\" }
    }

    private static func printable(_ text: String) -> String {
        escaped(text) { (0x20...0x7E).contains($0.value) && $0 != "\\" }
    }

    private static func escaped(
        _ text: String, isPlain: (Unicode.Scalar) -> Bool
    ) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(longestValue) {
            if isPlain(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return text.unicodeScalars.count > longestValue ? result + "..." : result
    }

    /// The name of a status code as gRPC writes it.
    static func outcome(_ error: any Error) -> String {
        let code: RPCError.Code
        switch error {
        case let error as RPCError: code = error.code
        case let error as any RPCErrorConvertible: code = error.rpcErrorCode
        case is CancellationError: code = .cancelled
        default: code = .unknown
        }
        // notFound → NOT_FOUND
        return "\(code)".map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
    }
}

/// A token bucket over refusals, with a count of those that were not written.
private final class Refusals: Sendable {
    private struct State {
        var tokens = AuditLog.refusalBurst
        var filledAt: ContinuousClock.Instant
        var leftOut = 0
    }

    private let state: Mutex<State>

    init(now: ContinuousClock.Instant) {
        state = Mutex(State(filledAt: now))
    }

    /// - Returns: How many were left out before this one; `nil` where this one is left out.
    func admit(at now: ContinuousClock.Instant) -> Int? {
        state.withLock { state in
            let seconds = (now - state.filledAt) / .seconds(1)
            state.filledAt = now
            state.tokens = min(
                AuditLog.refusalBurst, state.tokens + seconds * AuditLog.refusalsPerSecond)
            guard state.tokens >= 1 else {
                state.leftOut += 1
                return nil
            }
            state.tokens -= 1
            defer { state.leftOut = 0 }
            return state.leftOut
        }
    }
}

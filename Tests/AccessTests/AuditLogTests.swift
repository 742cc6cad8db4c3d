import GRPCCore
import Synchronization
import Testing

@testable import Access

struct AuditLogTests {
    private let log = LogLines()

    @Test func aChangeIsOneLine() {
        let caller = Caller(
            name: "deploy", role: .admin, means: .token, address: "127.0.0.1:4711")
        AuditLog(logger: log.logger).changed(
            "wsm.v1.Orchestrator/Delete", objects: ["connection/btc"], by: caller, outcome: "OK")
        #expect(
            log.lines == [
                "change audit=true caller=deploy from=127.0.0.1:4711 means=token "
                    + "method=wsm.v1.Orchestrator/Delete objects=connection/btc outcome=OK "
                    + "role=admin"
            ])
    }

    @Test func noNameLooksLikeAnotherLineOrField() {
        #expect(AuditLog.visible("a b\nc=d\\e\u{1F980}") == "a\\u{20}b\\u{a}c=d\\u{5c}e\\u{1f980}")
        let long = AuditLog.visible(String(repeating: "x", count: 5_000))
        #expect(long.count == AuditLog.longestValue + 3)
    }

    @Test func aFloodOfRefusalsIsCountedNotWritten() {
        let now = Mutex(ContinuousClock.now)
        let audit = AuditLog(logger: log.logger, now: { now.withLock { $0 } })
        let request = AccessRequest(
            method: "x", authorization: nil, peerCertificate: nil, address: "a")
        for _ in 0..<1_000 { audit.refused(request, .unauthenticated("no token")) }
        #expect(log.lines.count == Int(AuditLog.refusalBurst))
        now.withLock { $0 += .milliseconds(200) }
        audit.refused(request, .unauthenticated("no token"))
        #expect(log.lines.count == Int(AuditLog.refusalBurst) + 1)
        #expect(log.lines.last?.contains("left_out=950") == true)
    }

    @Test func outcomesAreGRPCsOwnNames() {
        #expect(
            AuditLog.outcome(RPCError(code: .failedPrecondition, message: ""))
                == "FAILED_PRECONDITION")
        #expect(AuditLog.outcome(CancellationError()) == "CANCELLED")
    }
}

import Testing

@testable import Access

struct MethodAuditTests {
    private static let known = Caller(name: "a", role: .admin, means: .token, address: "x")
    private static let unknown = Caller.anonymous(.admin, at: "x")

    @Test(arguments: [
        ("wsm.v1.Orchestrator/Apply", true, true),
        ("virtufin.WebSocketManager/Send", true, false),
        ("virtufin.WebSocketManager/SendRaw", true, false),
        ("wsm.v1.Orchestrator/Get", false, false),
        ("grpc.health.v1.Health/Check", false, false),
        ("somebody.Elses/Method", true, true),
    ])
    func changesAreAuditedAndMessagesOfKnownCallers(
        method: String, ofKnown: Bool, ofUnknown: Bool
    ) {
        #expect(MethodRoles.isAudited(method, by: Self.known) == ofKnown)
        #expect(MethodRoles.isAudited(method, by: Self.unknown) == ofUnknown)
    }
}

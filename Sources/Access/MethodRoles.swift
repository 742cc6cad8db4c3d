/// What every call needs.
///
/// The table names each method of the API and each page of the HTTP port; a test holds it against
/// the descriptors. What is not in it needs `admin`, so a method that was forgotten is closed.
package enum MethodRoles {
    package enum Requirement: Sendable, Hashable {
        /// Probes: answered to everybody, and tell nothing.
        case nobody
        case role(Role)
        /// Another instance of the same cluster, whatever roles there are.
        case peer
    }

    /// - Parameter method: `package.Service/Method`, or `http/page`.
    package static func requirement(of method: String) -> Requirement {
        table[method] ?? .role(.admin)
    }

    package static let table: [String: Requirement] = {
        var table: [String: Requirement] = [:]
        func add(_ service: String, _ requirement: Requirement, _ methods: String...) {
            for method in methods { table["\(service)/\(method)"] = requirement }
        }
        add("grpc.health.v1.Health", .nobody, "Check", "List", "Watch")
        add("http", .nobody, "livez", "readyz", "health")

        add("http", .role(.read), "metrics", "readyz-verbose", "openapi")
        add("grpc.reflection.v1.ServerReflection", .role(.read), "ServerReflectionInfo")
        add("grpc.reflection.v1alpha.ServerReflection", .role(.read), "ServerReflectionInfo")
        add("virtufin.WebSocketManager", .role(.read), "List", "GetTag", "GetTags")
        add(
            "wsm.v1.Orchestrator", .role(.read), "Plan", "Get", "List", "Watch", "Events",
            "Subscribe", "GetHistory", "GetServerInfo", "GetServerStatus", "GetCluster")

        add(
            "virtufin.WebSocketManager", .role(.admin), "Connect", "Disconnect", "StartPublish",
            "StopPublish", "Send", "SendRaw", "SetTag", "SetTags")
        // An Apply with dry_run too: the role is decided before its first message is read, and
        // Plan answers a reader the same.
        add(
            "wsm.v1.Orchestrator", .role(.admin), "Apply", "Delete", "Rollback", "Drain",
            "CallOffDrain", "Cordon")
        add("wsm.v1.Peer", .peer, "Deliver", "ListOpen", "GetTopicEnd")
        return table
    }()

    /// Whether a call belongs into the audit log: it changes something, or reaches the outside.
    ///
    /// Messages are too many to be written down for a caller of whom there is nothing to write.
    static func isAudited(_ method: String, by caller: Caller) -> Bool {
        guard requirement(of: method) == .role(.admin) else { return false }
        return caller.means != .anonymous || !messages.contains(method)
    }

    private static let messages: Set = [
        "virtufin.WebSocketManager/Send", "virtufin.WebSocketManager/SendRaw",
    ]
}

import Access
import Foundation
import GRPCCore
import ManagerAPI
import SwiftProtobuf
import Testing

/// The table of roles against the descriptors: no method without a decision, no decision without a
/// method.
struct MethodRolesTests {
    private static func methods() throws -> Set<String> {
        let bytes = try #require(Data(base64Encoded: DescriptorSet.base64))
        let files = try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes).file
        var methods: Set<String> = []
        for file in files {
            for service in file.service {
                for method in service.method {
                    methods.insert("\(file.package).\(service.name)/\(method.name)")
                }
            }
        }
        return methods
    }

    private static let peerMethods = [
        Wsm_V1_Peer.Method.Deliver.descriptor, Wsm_V1_Peer.Method.ListOpen.descriptor,
        Wsm_V1_Peer.Method.GetTopicEnd.descriptor,
    ].map(\.fullyQualifiedMethod)

    @Test func everyMethodIsInTheTable() throws {
        let methods = try Self.methods()
        #expect(methods.contains("virtufin.WebSocketManager/Connect"))
        #expect(methods.contains("grpc.health.v1.Health/Check"))
        for method in methods.sorted() {
            #expect(MethodRoles.table[method] != nil, "\(method) has no role")
        }
    }

    @Test func everyLineOfTheTableIsAMethodOrAPage() throws {
        let methods = try Self.methods()
        let pages = ["metrics", "readyz-verbose", "openapi", "livez", "readyz", "health"]
        let known = methods.union(pages.map { "http/\($0)" })
        // A method of the health service that the proto of this repository leaves out.
        let extra = Set(MethodRoles.table.keys).subtracting(known)
        let others = extra.subtracting(["grpc.health.v1.Health/List"])
        // What instances say to each other is not in the descriptors that clients are shown.
        #expect(others.allSatisfy { MethodRoles.requirement(of: $0) == .peer }, "\(others)")
        #expect(Set(others) == Set(Self.peerMethods))
    }

    /// Written out once more: whoever opens a method to readers has to say so here too.
    @Test func readersReadAndNothingElse() throws {
        let open = try Self.methods().filter { MethodRoles.requirement(of: $0) != .role(.admin) }
        #expect(
            open.filter { !$0.hasPrefix("grpc.") }.sorted() == [
                "virtufin.WebSocketManager/GetTag", "virtufin.WebSocketManager/GetTags",
                "virtufin.WebSocketManager/List", "wsm.v1.Orchestrator/Events",
                "wsm.v1.Orchestrator/Get", "wsm.v1.Orchestrator/GetCluster",
                "wsm.v1.Orchestrator/GetHistory",
                "wsm.v1.Orchestrator/GetServerInfo", "wsm.v1.Orchestrator/GetServerStatus",
                "wsm.v1.Orchestrator/List", "wsm.v1.Orchestrator/Plan",
                "wsm.v1.Orchestrator/Subscribe", "wsm.v1.Orchestrator/Watch",
            ])
    }

    @Test func onlyHealthNeedsNobody() throws {
        let free = try Self.methods().filter { MethodRoles.requirement(of: $0) == .nobody }
        #expect(free.allSatisfy { $0.hasPrefix("grpc.health.v1.Health/") })
    }
}

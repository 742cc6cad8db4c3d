import GRPCCore
import ManagerAPI
import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

/// Lists and streams of all instances, asked for at one.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ClusterReadsTests {
    // MARK: Lists

    @Test func aListIsOfAllInstancesInTheOrderOfNames() async throws {
        try await ClusterRig.run("a", "b", "c") { rig in
            let names = (0..<30).map { "n\($0)" }
            for (index, name) in names.enumerated() {
                try await rig.put(name, at: ["a", "b", "c"][index % 3])
            }
            for size in [0, 1, 4, 7, 30] as [Int32] {
                var seen: [String] = []
                var request = Wsm_V1_ListRequest.with { $0.pageSize = size }
                repeat {
                    let page = try await rig.node("b").orchestrator.list(request)
                    #expect(size == 0 || page.objects.count <= Int(size))
                    seen += page.objects.map(\.name)
                    request.pageToken = page.nextPageToken
                } while !request.pageToken.isEmpty
                #expect(seen == names.sorted(), "page size \(size)")
            }
            let list = try await rig.node("c").manager.list(Virtufin_ListRequest())
            #expect(list.connections.map(\.id) == names.sorted())
            #expect(Set(list.connections.map(\.instanceID)) == ["a", "b", "c"])
        }
    }

    @Test func whatNobodyServesIsListedFromTheStore() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("mine", at: "a")
            for number in 0..<5 { try await rig.put("gone-\(number)", at: "b") }
            try await rig.kill("b")
            let page = try await rig.node("a").orchestrator.list(
                .with { ($0.pageSize, $0.brief) = (4, true) })
            #expect(page.objects.map(\.name) == ["gone-0", "gone-1", "gone-2", "gone-3"])
            #expect(page.objects.allSatisfy { $0.reason == "NoOwner" && !$0.ready })
            let rest = try await rig.node("a").orchestrator.list(
                .with { ($0.pageSize, $0.pageToken) = (4, page.nextPageToken) })
            #expect(rest.objects.map(\.name) == ["gone-4", "mine"])
            #expect(rest.nextPageToken.isEmpty)
            let list = try await rig.node("a").manager.list(Virtufin_ListRequest())
            #expect(list.connections.count == 6)
        }
    }

    @Test func anInstanceThatDoesNotAnswerIsSaidToBeSilent() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("theirs", at: "b")
            let address = rig.ownership.now.addresses["b"]
            try await rig.kill("b")
            rig.ownership.edit { state in
                state.members.append("b")
                state.addresses["b"] = address
            }
            let page = try await rig.node("a").orchestrator.list(Wsm_V1_ListRequest())
            #expect(page.objects.map(\.reason) == ["OwnerSilent"])
        }
    }

    @Test func aWrongRequestIsRefused() async throws {
        try await ClusterRig.run("a", "b") { rig in
            let orchestrator = try rig.node("a").orchestrator
            let error = await #expect(throws: RPCError.self) {
                try await orchestrator.list(.with { $0.labelSelector = "a in b" })
            }
            #expect(error?.code == .invalidArgument)
        }
    }
}

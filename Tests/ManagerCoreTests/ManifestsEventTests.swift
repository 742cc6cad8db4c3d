import ManagerCore
import Testing

struct ManifestsEventTests {
    private func event(_ kind: ManifestsEvent.Kind) -> ManifestsEvent {
        ManifestsEvent(set: "git", directory: "/m", instanceID: "i", kind: kind)
    }

    private func data(_ kind: ManifestsEvent.Kind) -> String {
        String(decoding: event(kind).dataJSON(), as: UTF8.self)
    }

    private let head = #"{"set":"git","directory":"/m","instance_id":"i","#

    @Test func anApplyTellsWhatBecameOfTheObjects() {
        var counts = ManifestsEvent.Counts()
        counts.created = 1
        counts.pruned = 2
        counts.conflicts = 3
        #expect(
            data(.applied(counts, revision: 7, problems: ["a \"b\""]))
                == head + #""created":1,"configured":0,"unchanged":0,"pruned":2,"adopted":0,"#
                + #""conflicts":3,"protected":0,"revision":"7","problems":["a \"b\""]}"#)
    }

    @Test func aRefusalTellsWhy() {
        #expect(
            data(.refused(reason: "Invalid", problems: ["x", "y"], problemCount: 40))
                == head + #""reason":"Invalid","problem_count":40,"problems":["x","y"]}"#)
    }

    @Test func theEventCarriesTypeSourceAndSubject() throws {
        let uid = try #require(ConnectionUID(rawValue: "u"))
        let time = WallTime(nanosecondsSinceEpoch: 1)
        let id = EventID(uid: uid, epoch: 1, sequence: 1)
        let applied = event(.applied(.init(), revision: 1, problems: [])).outbound(
            id: id, time: time)
        #expect(applied.topic == LifecycleEvent.topic)
        #expect(applied.type == "com.virtufin.websocketmanager.manifests.applied")
        #expect(applied.source == LifecycleEvent.source)
        #expect(applied.subject == "manifests/git")
        #expect(JSONText.type(of: applied.payload) == .object)
        let refused = event(.refused(reason: "Empty", problems: [], problemCount: 0)).outbound(
            id: id, time: time)
        #expect(refused.type == "com.virtufin.websocketmanager.manifests.refused")
    }
}

import Foundation
import ManagerCore
import Reconciler
import Spec
import Testing

/// The examples as the loop sees them on an empty server.
struct ExamplePlanTests {
    @Test func everyConnectionOfTheExamplesIsOpened() throws {
        let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "examples")
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".yaml") }.sorted()
        let sources = try names.map { name in
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
            return ManifestSource(name: name, bytes: bytes)
        }
        var generator = SystemRandomNumberGenerator()
        let desired = ManifestCompiler.compile(sources).objects.flatMap(\.connections).map {
            DesiredConnection(
                name: $0.metadata.name, uid: .random(using: &generator),
                createdAt: WallTime(nanosecondsSinceEpoch: 0), keeper: .applySet("examples"),
                spec: $0.spec, declared: $0.declared)
        }
        let plan = Plan.compute(desired: desired, observed: [], now: Moment(.zero))
        #expect(plan.entries.count == 106)
        #expect(plan.entries.allSatisfy { $0.step == .open })
    }
}

import Foundation
import ManagerAPI

/// Short ways to write the server's messages.
func result(
    _ name: String, _ action: Wsm_V1_ResultAction, kind: String = "Connection",
    of connectionSet: String = "", edits: [Wsm_V1_FieldEdit] = [], cuts: Bool = false,
    message: String = "", generation: Int64 = 1, origin: String = ""
) -> Wsm_V1_ObjectResult {
    var result = Wsm_V1_ObjectResult()
    result.kind = kind
    result.name = name
    result.action = action
    result.connectionSet = connectionSet
    result.edits = edits
    result.cutsSocket = cuts
    result.message = message
    result.generation = generation
    result.origin = origin
    return result
}

func edit(
    _ path: String, _ old: String?, _ new: String?, effect: String = "keep"
) -> Wsm_V1_FieldEdit {
    var edit = Wsm_V1_FieldEdit()
    edit.path = path
    if let old { edit.old = old }
    if let new { edit.new = new }
    edit.effect = effect
    return edit
}

func results(_ results: [Wsm_V1_ObjectResult]) -> Wsm_V1_ApplyResponse {
    var chunk = Wsm_V1_ResultChunk()
    chunk.results = results
    var response = Wsm_V1_ApplyResponse()
    response.results = chunk
    return response
}

/// The summary a server would send for the results.
func summary(
    _ results: [Wsm_V1_ObjectResult], warnings: [String] = [], revision: Int64 = 7
) -> Wsm_V1_ApplyResponse {
    func count(_ action: Wsm_V1_ResultAction) -> Int32 {
        Int32(results.count { $0.action == action })
    }
    var summary = Wsm_V1_ApplySummary()
    summary.created = count(.created)
    summary.configured = count(.configured)
    summary.unchanged = count(.unchanged)
    summary.pruned = count(.pruned)
    summary.adopted = count(.adopted)
    summary.conflicts = count(.conflict)
    summary.failed = count(.failed)
    summary.protected = count(.protected)
    summary.cutSockets = Int32(results.count { $0.cutsSocket })
    summary.revision = revision
    summary.baseRevision = revision - 1
    summary.planDigest = "d1g357"
    summary.warnings = warnings
    var response = Wsm_V1_ApplyResponse()
    response.summary = summary
    return response
}

extension FakeOrchestrator.Script {
    /// Answers Apply and Plan with these results.
    static func answering(
        _ list: [Wsm_V1_ObjectResult], warnings: [String] = []
    ) -> FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        script.apply = { _, send in
            try await send(results(list))
            try await send(summary(list, warnings: warnings))
        }
        script.plan = script.apply
        return script
    }
}

func object(
    _ name: String, kind: String = "Connection", phase: String = "Connected", ready: Bool = true,
    generation: Int64 = 1, observed: Int64? = nil,
    _ change: (inout Wsm_V1_Object) -> Void = { _ in }
) -> Wsm_V1_Object {
    var object = Wsm_V1_Object()
    object.kind = kind
    object.name = name
    object.phase = phase
    object.ready = ready
    object.generation = generation
    object.observedGeneration = observed ?? generation
    change(&object)
    return object
}

func change(
    _ action: Wsm_V1_WatchAction, _ object: Wsm_V1_Object = Wsm_V1_Object()
) -> Wsm_V1_WatchChange {
    var change = Wsm_V1_WatchChange()
    change.action = action
    change.object = object
    return change
}

func watched(_ changes: Wsm_V1_WatchChange...) -> Wsm_V1_WatchResponse {
    var response = Wsm_V1_WatchResponse()
    response.changes = changes
    return response
}

/// The smallest manifest of a connection.
func manifest(_ name: String, url: String = "ws://localhost:9/", topic: String = "t") -> String {
    """
    apiVersion: wsm.virtufin.com/v1
    kind: Connection
    metadata:
      name: \(name)
    spec:
      topic: \(topic)
      url: \(url)

    """
}

/// A directory of its own for one test, gone with it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "wsm-apply-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ name: String, _ text: String) throws {
        let file = URL(fileURLWithPath: path + "/" + name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
}

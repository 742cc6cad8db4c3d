internal import Spec

/// What `wait` prints.
struct WaitReport: Presentable {
    let outcome: WaitOutcome

    func table(_ canvas: Canvas) -> String { outcome.success + "\n" }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", ManifestVersion.v1)
        object.text("kind", "WaitResult")
        object.value("wait", outcome.json)
        return object.object
    }

    var names: [String] {
        outcome.machine.targets(in: .reached).map { "\(ObjectKind.connection.word)/\($0.name)" }
    }
}

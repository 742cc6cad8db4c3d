internal import ManagerAPI
internal import Spec

/// What `status` prints.
struct StatusReport: Presentable {
    let address: ServerAddress
    let status: Wsm_V1_ServerStatus

    /// Ready, and every check passes.
    var isFine: Bool { status.ready && status.checks.allSatisfy(\.ok) }

    func table(_ canvas: Canvas) -> String {
        let word =
            status.ready ? canvas.style("ready", .added) : canvas.style("not ready", .removed)
        let head = "server at \(address) is \(word)\n"
        guard !status.checks.isEmpty else { return head }
        var table = Table(columns: [
            .init(title: "CHECK"), .init(title: "OK"), .init(title: "NEEDED", dropOrder: 0),
            .init(title: "SINCE", dropOrder: 1), .init(title: "REASON", shrink: .end(12)),
            .init(title: "MESSAGE", shrink: .end(20)),
        ])
        table.rows = status.checks.map { check in
            let since = check.since > 0 ? TimeText.age(seconds: canvas.now - check.since) : "-"
            return [
                check.name, check.ok ? "yes" : "no", check.advisory ? "no" : "yes", since,
                check.reason.isEmpty ? "-" : check.reason,
                check.message.isEmpty ? "-" : check.message,
            ].map(TerminalText.singleLine)
        }
        return head + table.render(width: canvas.width, style: canvas.style)
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", ManifestVersion.v1)
        object.text("kind", "ServerStatus")
        object.bool("ready", status.ready)
        object.list("checks", status.checks.map(Self.json))
        return object.object
    }

    var names: [String] { status.checks.filter { !$0.ok }.map(\.name) }

    private static func json(_ check: Wsm_V1_StatusCheck) -> JSONValue {
        var object = JSONObjectBuilder()
        object.text("name", check.name)
        object.bool("ok", check.ok)
        object.bool("advisory", check.advisory)
        object.text("reason", check.reason)
        object.text("message", check.message)
        object.timeIfAny("since", check.since)
        return object.object
    }
}

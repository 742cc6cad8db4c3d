internal import ManagerAPI
internal import Spec

/// What `get` prints.
struct ObjectReport: Presentable {
    let objects: [Wsm_V1_Object]

    func table(_ canvas: Canvas) -> String {
        let sets = objects.filter { $0.kind == ObjectKind.connectionSet.rawValue }
        let connections = objects.filter { $0.kind != ObjectKind.connectionSet.rawValue }
        var parts: [String] = []
        if !sets.isEmpty { parts.append(Self.setTable(sets, canvas)) }
        if !connections.isEmpty { parts.append(Self.connectionTable(connections, canvas)) }
        return parts.joined(separator: "\n")
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", "wsm.virtufin.com/v1")
        object.text("kind", "List")
        object.list("items", objects.map(Self.json))
        return object.object
    }

    /// Manifests as their authors could have written them, with status; one document each.
    func yaml() -> String {
        objects.map { object in
            let json = try? JSONValue.parse([UInt8](object.json))
            return ManifestRenderer.yaml(json ?? .object([]))
        }.joined(separator: "---\n")
    }

    var names: [String] { objects.map(\.label) }

    private static func connectionTable(_ objects: [Wsm_V1_Object], _ canvas: Canvas) -> String {
        var columns: [Table.Column] = [
            .init(title: "NAME"), .init(title: "PHASE"), .init(title: "READY"),
            .init(title: "TOPIC", shrink: .end(8)),
            .init(title: "URL", shrink: .inside(24), dropOrder: 0),
            .init(title: "RECEIVED", isNumber: true),
            .init(title: "PUBLISHED", isNumber: true, dropOrder: 1),
            .init(title: "DROPPED", isNumber: true), .init(title: "AGE", dropOrder: 2),
            .init(title: "REASON", shrink: .end(12)),
        ]
        if canvas.isWide {
            columns += [
                .init(title: "SET"), .init(title: "CONNECTIONSET"), .init(title: "GENERATION"),
                .init(title: "ATTEMPT", isNumber: true), .init(title: "NEXT"),
                .init(title: "MESSAGE"),
            ]
        }
        var table = Table(columns: columns)
        table.rows = objects.map { row($0, canvas) }
        return table.render(width: canvas.width, style: canvas.style)
    }

    private static func row(_ object: Wsm_V1_Object, _ canvas: Canvas) -> [String] {
        let age =
            object.connectedAt > 0
            ? TimeText.age(seconds: canvas.now - object.connectedAt) : "-"
        var cells = [
            object.name, object.phase, object.ready ? "yes" : "no", dash(object.topic), object.url,
            String(object.received), String(object.published), String(object.dropped), age,
            dash(object.ready ? "" : object.reason),
        ]
        if canvas.isWide {
            let message = object.message.isEmpty ? object.lastError : object.message
            cells += [
                dash(object.set), dash(object.connectionSet),
                "\(object.observedGeneration)/\(object.generation)", String(object.attempt),
                dash(ConnectionText.nextAttempt(object, now: canvas.now) ?? ""), dash(message),
            ]
        }
        return cells.map(TerminalText.singleLine)
    }

    private static func setTable(_ objects: [Wsm_V1_Object], _ canvas: Canvas) -> String {
        var table = Table(columns: [
            .init(title: "NAME"), .init(title: "SET"), .init(title: "GENERATION"),
            .init(title: "STATUS", shrink: .end(12)),
        ])
        table.rows = objects.map { object in
            let status = [object.message, object.reason, object.phase].first { !$0.isEmpty }
            let generation = "\(object.observedGeneration)/\(object.generation)"
            return [object.name, dash(object.set), generation, dash(status ?? "")]
                .map(TerminalText.singleLine)
        }
        return table.render(width: canvas.width, style: canvas.style)
    }

    private static func dash(_ text: String) -> String {
        text.isEmpty ? "-" : text
    }
}

extension Wsm_V1_Object {
    /// `connection/btc-trades`
    var label: String {
        "\((ObjectKind(rawValue: kind) ?? .connection).word)/\(name)"
    }
}

internal import Spec

/// What `config view` prints.
struct SettingsReport: Presentable {
    let settings: ConnectionSettings
    let showsOrigins: Bool

    private struct Row {
        var key: String
        var value: String
        var origin: ConnectionSettings.Origin
    }

    private var rows: [Row] {
        func row<Value>(_ key: String, _ setting: ConnectionSettings.Setting<Value>?) -> Row? {
            setting.map { Row(key: key, value: "\($0.value)", origin: $0.origin) }
        }
        return [
            row("context", settings.context), row("server", settings.server),
            row("tls", settings.tls), row("ca", settings.ca), row("cert", settings.cert),
            row("key", settings.key), row("tokenFile", settings.tokenFile),
            row("insecure", settings.insecure),
        ].compactMap { $0 }
    }

    func table(_ canvas: Canvas) -> String {
        var table = Table(columns: [.init(title: "SETTING"), .init(title: "VALUE")])
        if showsOrigins { table.columns.append(.init(title: "ORIGIN")) }
        table.rows = rows.map { row in
            let cells = [row.key, TerminalText.singleLine(row.value)]
            return showsOrigins ? cells + [TerminalText.singleLine("\(row.origin)")] : cells
        }
        return table.render(width: canvas.width, style: canvas.style)
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", "wsm.virtufin.com/v1")
        object.text("kind", "Settings")
        for row in rows {
            guard showsOrigins else {
                object.text(row.key, row.value)
                continue
            }
            var item = JSONObjectBuilder()
            item.text("value", row.value)
            item.text("origin", "\(row.origin)")
            object.value(row.key, item.object)
        }
        return object.object
    }

    var names: [String] { rows.map(\.key) }
}

/// What `config get-contexts` prints.
struct ContextsReport: Presentable {
    let contexts: [ContextsFile.Context]
    let inUse: String?

    func table(_ canvas: Canvas) -> String {
        var table = Table(
            columns: [
                .init(title: "CURRENT"), .init(title: "NAME"), .init(title: "SERVER"),
                .init(title: "ENTERS BY"),
            ])
        table.rows = contexts.map { context in
            [
                context.name == inUse ? "*" : "", TerminalText.singleLine(context.name),
                TerminalText.singleLine(
                    context.values["server"] ?? ServerAddress.standard.description),
                means(context).joined(separator: ", "),
            ]
        }
        return table.render(width: canvas.width, style: canvas.style)
    }

    private func means(_ context: ContextsFile.Context) -> [String] {
        [
            context.values["tokenFile"].map { _ in "token" },
            context.values["cert"].map { _ in "certificate" },
        ].compactMap { $0 }
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", "wsm.virtufin.com/v1")
        object.text("kind", "Contexts")
        object.list(
            "contexts",
            contexts.map { context in
                var item = JSONObjectBuilder()
                item.text("name", context.name)
                item.bool("current", context.name == inUse)
                for key in ContextsFile.keys { item.textIfAny(key, context.values[key] ?? "") }
                if let tls = context.usesTLS { item.bool("tls", tls) }
                return item.object
            })
        return object.object
    }

    var names: [String] { contexts.map(\.name) }
}

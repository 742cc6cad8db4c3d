internal import Spec

/// What `validate` prints.
struct ValidationReport: Presentable {
    let compilation: Compilation

    func table(_ canvas: Canvas) -> String {
        let objects = compilation.objects.count
        let connections = compilation.objects.reduce(0) { $0 + $1.connections.count }
        let remark = connections == objects ? "" : " (\(connections.counted("connection")))"
        return "\(objects.counted("object")) valid\(remark)\n"
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", "wsm.virtufin.com/v1")
        object.text("kind", "Validation")
        object.bool("valid", !compilation.hasErrors)
        object.list("objects", compilation.objects.map(Self.json))
        object.list("diagnostics", compilation.diagnostics.map(Self.json))
        return object.object
    }

    var names: [String] { compilation.objects.map(Self.label) }

    var records: [Record] {
        let objects = compilation.objects.map {
            Record(type: "object", object: Self.label($0), fields: Self.json($0))
        }
        return objects
            + compilation.diagnostics.map { diagnostic in
                Record(
                    level: diagnostic.severity == .error ? .error : .warning, type: "diagnostic",
                    fields: Self.json(diagnostic))
            }
    }

    private static func label(_ compiled: CompiledObject) -> String {
        "\(compiled.kind.word)/\(compiled.metadata.name)"
    }

    private static func json(_ compiled: CompiledObject) -> JSONValue {
        var object = JSONObjectBuilder()
        object.text("kind", compiled.kind.rawValue)
        object.text("name", compiled.metadata.name)
        object.number("connections", compiled.connections.count)
        object.text("digest", compiled.digest)
        object.text("origin", compiled.position.description)
        return object.object
    }

    private static func json(_ diagnostic: Diagnostic) -> JSONValue {
        var object = JSONObjectBuilder()
        object.text("severity", diagnostic.severity == .error ? "error" : "warning")
        object.text("file", diagnostic.position.file)
        object.number("line", diagnostic.position.line)
        object.number("column", diagnostic.position.column)
        object.textIfAny("path", diagnostic.path)
        object.text("message", diagnostic.message)
        return object.object
    }
}

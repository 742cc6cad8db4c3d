internal import ArgumentParser
internal import Spec

/// The forms a result can take on the standard output.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// For people.
    case table
    /// For people with wide terminals.
    case wide
    /// One JSON document of a stable shape.
    case json
    /// The same as YAML; from `get`, manifests that can be applied again.
    case yaml
    /// `kind/name`, one a line.
    case name
    /// One JSON object a line, each a ``Record``.
    case ndjson
}

/// A result that can be printed in every form.
protocol Presentable {
    func table(_ canvas: Canvas) -> String
    /// The stable shape for other programs.
    var json: JSONValue { get }
    func yaml() -> String
    /// `kind/name` of each object.
    var names: [String] { get }
    /// The lines of `-o ndjson`.
    var records: [Record] { get }
}

extension Presentable {
    func yaml() -> String { ManifestRenderer.yaml(json) }

    /// A result that is one thing is one line.
    var records: [Record] { [Record(type: "result", fields: json)] }

    /// The one place that knows all forms.
    func text(as format: OutputFormat, on canvas: Canvas) -> String {
        switch format {
        case .table: table(canvas)
        case .wide: table(canvas.widened)
        case .json: PrettyJSON.text(json)
        case .yaml: yaml()
        case .name: names.map { $0 + "\n" }.joined()
        case .ndjson: records.map { $0.line(now: canvas.now) }.joined()
        }
    }
}

/// What a table is drawn on.
struct Canvas: Sendable {
    var style: Style
    /// Columns of the terminal; `nil` where nothing needs to be cut.
    var width: Int?
    /// All columns are wanted, and nothing cut.
    var isWide = false
    /// Unix seconds.
    var now: Int64

    var widened: Canvas {
        var canvas = self
        canvas.isWide = true
        canvas.width = nil
        return canvas
    }
}

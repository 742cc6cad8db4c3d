/// A YAML document that is no manifest, as a tree of texts with their places: how a program of ours
/// reads a small file of its own, with the limits and the errors of manifests.
package struct PlacedValue: Sendable, Hashable {
    package indirect enum Content: Sendable, Hashable {
        /// A string, quoted or not.
        case string(String)
        case bool(Bool)
        /// A number or null, as written.
        case other(String)
        case list([PlacedValue])
        /// Keys are unique.
        case map([Member])
    }

    package struct Member: Sendable, Hashable {
        package let key: String
        /// Of the key.
        package let position: SourcePosition
        package let value: PlacedValue
    }

    package let position: SourcePosition
    package let content: Content

    /// What it is, as a sentence says it: `a map`, `a number`.
    package var kindName: String {
        switch content {
        case .string: "a string"
        case .bool: "a bool"
        case .other(let text): text.isEmpty ? "nothing" : "a number or null"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// Reads a file of one document.
    ///
    /// - Returns: `nil` where it is empty or nothing of it can be read; and all that is wrong.
    package static func read(_ source: ManifestSource) -> (PlacedValue?, [Diagnostic]) {
        var report = DiagnosticCollector(file: source.name)
        var value: PlacedValue?
        do throws(NodeBuilder.Abort) {
            let text = try TextEncoding.checked(source.bytes)
            guard TextEncoding.tagDirectives(text) <= ManifestLimits.maxTagDirectives else {
                throw NodeBuilder.Abort(
                    mark: .start, message: "the file has more than 64 %TAG directives")
            }
            text.withUnsafeBufferPointer { bytes in
                guard var reader = YAMLReader(bytes, text: text) else { return }
                while let document = reader.next() {
                    for finding in document.findings {
                        report.error(finding.mark, finding.path, finding.message)
                    }
                    guard let root = document.root else { continue }
                    if value == nil {
                        value = PlacedValue(root, report)
                    } else {
                        report.error(root.mark, "", "the file is one document")
                    }
                }
            }
        } catch {
            report.error(error.mark, "", error.message)
        }
        report.finish()
        return (value, report.diagnostics)
    }

    private init(_ node: Node, _ report: DiagnosticCollector) {
        position = report.position(node.mark)
        switch node.content {
        case .scalar(let scalar):
            switch scalar.kind {
            case .string: content = .string(scalar.text)
            case .bool: content = .bool(scalar.text.lowercased() == "true")
            case .null, .int, .float: content = .other(scalar.text)
            }
        case .sequence(let items):
            content = .list(items.map { PlacedValue($0, report) })
        case .mapping(let entries):
            content = .map(
                entries.map {
                    Member(
                        key: $0.key.text, position: report.position($0.keyMark),
                        value: PlacedValue($0.value, report))
                })
        case .reported:
            content = .other("")
        }
    }
}

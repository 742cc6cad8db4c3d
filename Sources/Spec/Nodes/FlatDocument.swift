/// A YAML file that holds one mapping of names to scalars and lists of scalars, each with its
/// place: how a program of ours reads its configuration, with the limits and the errors of manifests.
package struct FlatDocument: Sendable {
    /// One scalar as it was written.
    package struct Item: Sendable, Hashable {
        package let text: String
        /// `string`, quoted or not; else what the core schema makes of the plain text.
        package let kind: Kind
        package let position: SourcePosition
    }

    package enum Kind: Sendable, Hashable {
        case string, number, bool, null
    }

    package enum Value: Sendable, Hashable {
        case scalar(Item)
        case list([Item])
    }

    package struct Entry: Sendable {
        package let key: String
        /// Of the key.
        package let position: SourcePosition
        package let value: Value
    }

    /// In the order of the file; keys are unique.
    package private(set) var entries: [Entry] = []
    package private(set) var diagnostics: [Diagnostic] = []

    /// Reads a file; what is wrong with it is in ``diagnostics``, all of it.
    package init(_ source: ManifestSource) {
        var report = DiagnosticCollector(file: source.name)
        do throws(NodeBuilder.Abort) {
            let text = try TextEncoding.checked(source.bytes)
            guard TextEncoding.tagDirectives(text) <= ManifestLimits.maxTagDirectives else {
                throw NodeBuilder.Abort(
                    mark: .start, message: "the file has more than 64 %TAG directives")
            }
            text.withUnsafeBufferPointer { bytes in
                guard var reader = YAMLReader(bytes, text: text) else { return }
                read(&reader, &report)
            }
        } catch {
            report.error(error.mark, "", error.message)
        }
        report.finish()
        diagnostics = report.diagnostics
    }

    private mutating func read(_ reader: inout YAMLReader, _ report: inout DiagnosticCollector) {
        var isFirst = true
        while let document = reader.next() {
            for finding in document.findings {
                report.error(finding.mark, finding.path, finding.message)
            }
            guard let root = document.root else { continue }
            guard isFirst else {
                report.error(root.mark, "", "a second document: a configuration is one")
                return
            }
            isFirst = false
            take(root, &report)
        }
    }

    private mutating func take(_ root: Node, _ report: inout DiagnosticCollector) {
        switch root.content {
        case .mapping(let members):
            for member in members {
                guard let value = value(of: member, &report) else { continue }
                entries.append(
                    Entry(
                        key: member.key.text, position: report.position(member.keyMark),
                        value: value))
            }
        case .reported:
            break
        case .scalar, .sequence:
            report.error(root.mark, "", "a map of settings is wanted, not \(root.kindName)")
        }
    }

    private func value(
        of member: Node.Entry, _ report: inout DiagnosticCollector
    ) -> Value? {
        let name = member.key.text
        switch member.value.content {
        case .scalar(let scalar):
            return .scalar(item(scalar, at: member.value.mark, report))
        case .sequence(let nodes):
            var items: [Item] = []
            for (index, node) in nodes.enumerated() {
                guard case .scalar(let scalar) = node.content else {
                    report.error(
                        node.mark, "\(name)[\(index)]", "a string is wanted, not \(node.kindName)")
                    continue
                }
                items.append(item(scalar, at: node.mark, report))
            }
            return .list(items)
        case .mapping:
            report.error(member.value.mark, name, "a value is wanted, not a map")
            return nil
        case .reported:
            return nil
        }
    }

    private func item(_ scalar: Scalar, at mark: Mark, _ report: DiagnosticCollector) -> Item {
        let kind: Kind =
            switch scalar.kind {
            case .string: .string
            case .null: .null
            case .bool: .bool
            case .int, .float: .number
            }
        return Item(text: scalar.text, kind: kind, position: report.position(mark))
    }
}

/// A JSON document as a tree: numbers as text, objects in the order they were written.
package indirect enum JSONValue: Sendable, Hashable {
    /// One member of an object.
    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: JSONValue

        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    case null
    case bool(Bool)
    /// As written: it loses no digit.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// Keys are unique where it was parsed.
    case object([Member])

    /// Why a text is no JSON document; with line and column.
    package struct ParseError: Error, Sendable, Hashable, CustomStringConvertible {
        package let line: Int
        package let column: Int
        package let message: String

        package var description: String { "\(line):\(column): \(message)" }
    }

    /// Depth and nodes a parsed document may have, beyond which ``ParseError`` is thrown.
    package struct Limits: Sendable {
        package var depth = 128
        package var nodes = 2_000_000

        package init() {}
    }

    /// Parses one document (RFC 8259). Duplicate keys are refused.
    package static func parse(
        _ bytes: [UInt8], limits: Limits = Limits()
    ) throws(ParseError) -> JSONValue {
        let builder = NodeBuilder(maxNodes: limits.nodes, maxDepth: limits.depth)
        do throws(NodeBuilder.Abort) {
            let (root, findings) = try JSONNodeReader.read(bytes, builder: builder)
            if let finding = findings.first {
                throw NodeBuilder.Abort(
                    mark: finding.mark, message: "\(finding.path): \(finding.message)")
            }
            return JSONValue(root)
        } catch {
            throw ParseError(
                line: Int(error.mark.line), column: Int(error.mark.column), message: error.message)
        }
    }

    /// The value of a key; `nil` where this is no object or has no such key.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// Compact JSON, members in their order.
    package func serialized() -> [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes
    }

    /// The same document with the members of every object sorted by key.
    package func sorted() -> JSONValue {
        switch self {
        case .object(let members):
            .object(
                members.map { Member($0.key, $0.value.sorted()) }
                    .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
        case .array(let items):
            .array(items.map { $0.sorted() })
        default:
            self
        }
    }
}

extension JSONValue {
    /// A node in JSON; plain scalars by the type the core schema gives them.
    init(_ node: Node) {
        switch node.content {
        case .scalar(let scalar): self = JSONValue(scalar)
        case .sequence(let items): self = .array(items.map { JSONValue($0) })
        case .mapping(let entries):
            self = .object(entries.map { Member($0.key.text, JSONValue($0.value)) })
        case .reported: self = .null
        }
    }

    init(_ scalar: Scalar) {
        switch scalar.kind {
        case .string: self = .string(scalar.text)
        case .null: self = .null
        case .bool: self = .bool(scalar.text.first == "t" || scalar.text.first == "T")
        case .int, .float:
            self = JSONNumber.isNumber(scalar.text) ? .number(scalar.text) : .string(scalar.text)
        }
    }
}

extension Node {
    /// A tree without places.
    init(_ value: JSONValue) {
        mark = .start
        content =
            switch value {
            case .null: .scalar(.plain("null"))
            case .bool(let bool): .scalar(.plain(bool ? "true" : "false"))
            case .number(let text): .scalar(.plain(text))
            case .string(let text): .scalar(.string(text))
            case .array(let items): .sequence(items.map { Node($0) })
            case .object(let members):
                .mapping(
                    members.map { member in
                        Entry(
                            key: .string(member.key), keyMark: .start, value: Node(member.value))
                    })
            }
    }
}

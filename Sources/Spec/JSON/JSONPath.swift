/// A dotted path into a JSON document: `data.id`, `$.items[0].price`.
///
/// Segments are keys of objects; a segment of digits, or an index in brackets, also counts the items
/// of an array from 0. A leading `$` stands for the document and may be left out.
package struct JSONPath: Sendable, Hashable, CustomStringConvertible {
    static let maxSegments = 32
    static let maxLength = 1024

    /// Without the leading `$`.
    package let segments: [String]

    package init(_ text: String) throws(SyntaxProblem) {
        guard !text.isEmpty, text != "$" else { throw "a path is empty; write one as data.id" }
        guard text.utf8.count <= Self.maxLength else { throw "a path has at most 1024 bytes" }
        var rest = text[...]
        if rest.hasPrefix("$.") || rest.hasPrefix("$[") { rest = rest.dropFirst() }
        if rest.first == "." { rest = rest.dropFirst() }
        var segments: [String] = []
        for part in rest.split(separator: ".", omittingEmptySubsequences: false) {
            try Self.read(part, into: &segments)
        }
        guard segments.count <= Self.maxSegments else {
            throw "a path has at most 32 segments"
        }
        self.segments = segments
    }

    package var description: String { segments.joined(separator: ".") }

    /// Reads `name`, `name[0]` or `[0]`.
    private static func read(
        _ part: Substring, into segments: inout [String]
    ) throws(SyntaxProblem) {
        guard !part.isEmpty else { throw "a path has an empty segment between dots" }
        let name = part.prefix { $0 != "[" }
        if !name.isEmpty { segments.append(String(name)) }
        var rest = part[name.endIndex...]
        while !rest.isEmpty {
            guard rest.first == "[", let end = rest.firstIndex(of: "]") else {
                throw "a path has an index as [0], or a name without brackets"
            }
            let index = rest[rest.index(after: rest.startIndex)..<end]
            guard !index.isEmpty, index.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
                throw "a path has an index as [0], or a name without brackets"
            }
            segments.append(String(index))
            rest = rest[rest.index(after: end)...]
        }
    }
}

extension JSONValue {
    /// The value at a path; `nil` where there is none.
    package subscript(path path: JSONPath) -> JSONValue? {
        var value = self
        for segment in path.segments {
            switch value {
            case .object:
                guard let member = value[segment] else { return nil }
                value = member
            case .array(let items):
                guard let index = Int(segment), items.indices.contains(index) else { return nil }
                value = items[index]
            default:
                return nil
            }
        }
        return value
    }
}

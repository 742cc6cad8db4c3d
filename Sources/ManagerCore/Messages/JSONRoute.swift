package import Spec

/// A ``JSONPath`` made ready to be followed in the bytes of many messages.
package struct JSONRoute: Sendable, Hashable, CustomStringConvertible {
    struct Part: Sendable, Hashable {
        var key: [UInt8]
        /// The part read as an index of an array, if it is one.
        var index: Int?

        init(_ segment: String) {
            key = Array(segment.utf8)
            index = Int(segment)
        }
    }

    /// At least one; a path has at most 32, well below ``JSONText/deepest``.
    let parts: [Part]

    init(parts: [Part]) {
        self.parts = parts
    }

    package init(_ path: JSONPath) {
        self.init(parts: path.segments.map(Part.init))
    }

    /// - Parameter text: A dotted path, as in a manifest.
    package init(_ text: String) throws(SyntaxProblem) {
        self.init(try JSONPath(text))
    }

    package var description: String {
        parts.map { String(decoding: $0.key, as: UTF8.self) }.joined(separator: ".")
    }

    func prefix(_ count: Int) -> JSONRoute {
        JSONRoute(parts: Array(parts.prefix(count)))
    }
}

/// A dotted path into a JSON value: `a.b`, `$.a.b`, `items.0.id`.
///
/// A part names a member of an object or, if it is a number without a leading zero, an element of
/// an array. Keys that hold a dot cannot be named.
package struct JSONPath: Sendable, Hashable, CustomStringConvertible {
    struct Part: Sendable, Hashable {
        var key: [UInt8]
        /// The part read as an index, if it is one.
        var index: Int?
    }

    let parts: [Part]

    /// - Returns: `nil` for an empty path, an empty part, or more than ``mostParts`` parts.
    package init?(_ text: String) {
        var names = text.split(separator: ".", omittingEmptySubsequences: false)
        if names.first == "$" { names.removeFirst() }
        guard (1...Self.mostParts).contains(names.count), names.allSatisfy({ !$0.isEmpty })
        else { return nil }
        parts = names.map { Part(key: Array($0.utf8), index: Self.index($0)) }
    }

    /// - Parameter parts: At least one.
    init(parts: [Part]) {
        self.parts = parts
    }

    package var description: String {
        parts.map { String(decoding: $0.key, as: UTF8.self) }.joined(separator: ".")
    }

    /// As deep as a message may be; see ``JSONScanner/deepest``.
    package static let mostParts = 64

    private static func index(_ name: Substring) -> Int? {
        guard let index = Int(name), index >= 0, String(index) == name else { return nil }
        return index
    }
}

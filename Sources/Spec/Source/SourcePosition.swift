/// A place in a manifest, for people: `file:line:column`, both counted from 1.
package struct SourcePosition: Sendable, Hashable, CustomStringConvertible {
    package let file: String
    package let line: Int
    /// In Unicode scalars.
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(file):\(line):\(column)" }
}

/// A place within one source, both counted from 1; eight bytes, since every node carries one.
struct Mark: Sendable, Hashable {
    var line: UInt32
    var column: UInt32

    static let start = Mark(line: 1, column: 1)
}

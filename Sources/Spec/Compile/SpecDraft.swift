/// A connection's spec while it is compiled: values, and where each was written.
struct SpecDraft: Sendable {
    var spec = ConnectionSpec(url: "")
    /// By index of ``FieldTable/fields``: where the value stands, if it was written.
    private(set) var marks = [Mark?](repeating: nil, count: FieldTable.fields.count)
    /// Where the value of `tls` stands, whatever is in it.
    var tlsMark: Mark?

    func mark(_ path: String) -> Mark? {
        FieldTree.indices[path].flatMap { marks[$0] }
    }

    func isWritten(_ path: String) -> Bool { mark(path) != nil }

    mutating func written(_ index: Int, at mark: Mark) { marks[index] = mark }

    /// The paths the author wrote.
    var declared: Set<String> {
        var paths: Set<String> = []
        for (index, mark) in marks.enumerated() where mark != nil {
            paths.insert(FieldTable.fields[index].path)
        }
        return paths
    }
}

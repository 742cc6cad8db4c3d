/// What a caller gave for a field is not what the field takes.
struct FieldProblem: Error, Hashable {
    /// Where: `filters[0].key`. Empty is the whole message.
    var path: String
    /// What is wrong, as the rest of a sentence that begins with the path.
    var sentence: String

    var description: String { path.isEmpty ? sentence : "\(path) \(sentence)" }
}

/// The way to a field: names and indices.
struct FieldPath {
    var text = ""

    func appending(_ name: String) -> FieldPath {
        FieldPath(text: text.isEmpty ? name : "\(text).\(name)")
    }

    func appending(_ index: Int) -> FieldPath {
        FieldPath(text: "\(text)[\(index)]")
    }

    func problem(_ sentence: String) -> FieldProblem {
        FieldProblem(path: text, sentence: sentence)
    }
}

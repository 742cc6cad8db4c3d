/// How one type of value is read from a node, checked, and written again.
///
/// Reading and checking are one step, so that a value that exists is a valid one.
struct ValueCodec<Value: Equatable & Sendable>: Sendable {
    /// As the reference names it.
    let typeName: String
    /// The range as the reference tells it; empty where the type says all.
    let rangeText: String
    /// Whether a string with `{{…}}` can stand here in the template of a set.
    let isExpandable: Bool
    /// The same for JSON Schema.
    let form: SchemaForm
    let decode: @Sendable (Node, inout FieldProblems) -> Value?
    let encode: @Sendable (Value, inout JSONWriter) -> Void

    init(
        typeName: String, rangeText: String, isExpandable: Bool = true, form: SchemaForm,
        decode: @escaping @Sendable (Node, inout FieldProblems) -> Value?,
        encode: @escaping @Sendable (Value, inout JSONWriter) -> Void
    ) {
        self.typeName = typeName
        self.rangeText = rangeText
        self.isExpandable = isExpandable
        self.form = form
        self.decode = decode
        self.encode = encode
    }
}

extension Node {
    /// The text of a string; otherwise a problem that says what is there instead.
    func string(_ problems: inout FieldProblems, at suffix: String = "") -> String? {
        guard case .scalar(let scalar) = content else {
            problems.add(self, "a string is wanted, not \(kindName)", at: suffix)
            return nil
        }
        switch scalar.kind {
        case .string:
            return scalar.text
        case .null where scalar.text.isEmpty:
            problems.add(self, "a string is wanted, but there is no value", at: suffix)
        case .null, .bool, .int, .float:
            problems.add(
                self,
                "a string is wanted, not \(scalar.kindName); quote it: '\(scalar.text)'",
                at: suffix)
        }
        return nil
    }

    /// The text of a string without control characters.
    func plainString(_ problems: inout FieldProblems, at suffix: String = "") -> String? {
        guard let text = string(&problems, at: suffix) else { return nil }
        guard !CharacterRules.hasControl(text) else {
            problems.add(self, "a control character is in the string", at: suffix)
            return nil
        }
        return text
    }

    /// The entries of a map; otherwise a problem.
    func map(_ problems: inout FieldProblems, at suffix: String = "") -> [Entry]? {
        if case .mapping(let entries) = content { return entries }
        let hint = isEmptyScalar ? "a map is wanted, but there is no value" : nil
        problems.add(self, hint ?? "a map is wanted, not \(kindName)", at: suffix)
        return nil
    }

    /// The items of a list; otherwise a problem.
    func list(_ problems: inout FieldProblems, at suffix: String = "") -> [Node]? {
        if case .sequence(let items) = content { return items }
        let hint = isEmptyScalar ? "a list is wanted, but there is no value" : nil
        problems.add(self, hint ?? "a list is wanted, not \(kindName)", at: suffix)
        return nil
    }

    private var isEmptyScalar: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return !scalar.isString && scalar.text.isEmpty
    }
}

extension Node.Entry {
    /// The key where any string may stand; a bare number or `true` wants quotes.
    func stringKey(_ problems: inout FieldProblems, at group: String) -> String? {
        guard key.kind == .string else {
            problems.add(
                keyMark, "a key is a string; quote it: '\(key.text)'", at: "\(group)[\(key.text)]")
            return nil
        }
        guard !CharacterRules.hasControl(key.text) else {
            problems.add(keyMark, "a control character is in the key", at: group)
            return nil
        }
        return key.text
    }
}

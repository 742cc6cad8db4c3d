internal import Spec

/// JSON for people and programs: two blanks a level, members in their order, one final newline.
enum PrettyJSON {
    static func text(_ value: JSONValue) -> String {
        var text = ""
        write(value, indent: "", to: &text)
        text += "\n"
        return text
    }

    private static func write(_ value: JSONValue, indent: String, to text: inout String) {
        switch value {
        case .object(let members) where !members.isEmpty:
            writeBlock("{", "}", members, indent: indent, to: &text) { member, inner, text in
                text += scalar(.string(member.key)) + ": "
                write(member.value, indent: inner, to: &text)
            }
        case .array(let items) where !items.isEmpty:
            writeBlock("[", "]", items, indent: indent, to: &text) { item, inner, text in
                write(item, indent: inner, to: &text)
            }
        default:
            text += scalar(value)
        }
    }

    private static func writeBlock<Item>(
        _ open: String, _ close: String, _ items: [Item], indent: String, to text: inout String,
        write: (Item, _ inner: String, inout String) -> Void
    ) {
        let inner = indent + "  "
        text += open
        for (index, item) in items.enumerated() {
            text += index == 0 ? "\n" : ",\n"
            text += inner
            write(item, inner, &text)
        }
        text += "\n" + indent + close
    }

    private static func scalar(_ value: JSONValue) -> String {
        String(decoding: value.serialized(), as: UTF8.self)
    }
}

/// Puts together the members of one object of machine output, leaving out what is not there.
struct JSONObjectBuilder {
    private(set) var members: [JSONValue.Member] = []

    mutating func text(_ key: String, _ value: String) {
        members.append(.init(key, .string(value)))
    }

    /// Leaves an empty text out.
    mutating func textIfAny(_ key: String, _ value: String) {
        if !value.isEmpty { text(key, value) }
    }

    mutating func number(_ key: String, _ value: some BinaryInteger) {
        members.append(.init(key, .number(String(value))))
    }

    mutating func bool(_ key: String, _ value: Bool) {
        members.append(.init(key, .bool(value)))
    }

    /// A time in Unix seconds as RFC 3339; zero is left out.
    mutating func timeIfAny(_ key: String, _ unixSeconds: Int64) {
        if unixSeconds != 0 { text(key, TimeText.rfc3339(unixSeconds)) }
    }

    mutating func list(_ key: String, _ values: [JSONValue]) {
        members.append(.init(key, .array(values)))
    }

    mutating func value(_ key: String, _ value: JSONValue) {
        members.append(.init(key, value))
    }

    var object: JSONValue { .object(members) }
}

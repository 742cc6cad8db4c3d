/// A value of a JSON text, with the bytes it stands at.
struct JSONNode: Sendable {
    var value: Value
    /// Of the text it was parsed from; empty for one that was made.
    var range: Range<Int>

    indirect enum Value: Sendable {
        case null
        case bool(Bool)
        /// As it is written, so that no digit of a 64-bit number is lost.
        case number(String)
        case string(String)
        case array([JSONNode])
        case object([Member])
    }

    struct Member: Sendable {
        var name: String
        var node: JSONNode
    }

    init(_ value: Value, range: Range<Int> = 0..<0) {
        self.value = value
        self.range = range
    }

    /// For sentences: "a number", "an object".
    var kind: String {
        switch value {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    var members: [Member]? {
        if case .object(let members) = value { members } else { nil }
    }
}

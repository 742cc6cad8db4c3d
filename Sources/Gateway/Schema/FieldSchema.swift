/// One field of a message, as its JSON mapping needs it.
struct FieldSchema: Sendable {
    var number: Int
    /// As in the proto: snake_case.
    var name: String
    /// As in JSON: camelCase. Both are accepted, this one is written.
    var jsonName: String
    var kind: FieldKind
    var isRepeated = false
    /// What the values of a map are; its keys are strings.
    var mapValue: FieldKind?
    /// Unset can be told from zero: `optional`, a message, a member of a oneof.
    var hasPresence = false
    /// Name of the oneof it belongs to.
    var oneof: String?
    /// What the proto says about it, in one paragraph.
    var comment = ""
}

/// What kind of value a field has.
enum FieldKind: Sendable, Hashable {
    case string, bytes, bool
    case int32, int64, uint32, uint64
    /// Full name, without a leading dot.
    case `enum`(String)
    case message(String)
    /// A type this contract does not use (groups, floating point, fixed width); no method that
    /// reaches one is served.
    case unsupported(String)
}

/// A message of the contract.
struct MessageSchema: Sendable {
    /// Full name, without a leading dot.
    var name: String
    /// In the order of the proto.
    var fields: [FieldSchema]
    var comment = ""
    private let byName: [String: Int]
    private let byNumber: [Int: Int]

    init(name: String, fields: [FieldSchema], comment: String) {
        self.name = name
        self.fields = fields
        self.comment = comment
        var byName: [String: Int] = [:]
        for (index, field) in fields.enumerated() {
            byName[field.name] = index
            byName[field.jsonName] = index
        }
        self.byName = byName
        byNumber = Dictionary(
            fields.enumerated().map { ($1.number, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// By either of its names.
    func field(named name: String) -> FieldSchema? { byName[name].map { fields[$0] } }

    /// Its place in ``fields``.
    func index(ofNumber number: Int) -> Int? { byNumber[number] }
}

/// An enum of the contract.
struct EnumSchema: Sendable {
    var name: String
    var values: [Value]
    var comment = ""

    struct Value: Sendable {
        var name: String
        var number: Int32
        var comment: String
    }

    func name(of number: Int32) -> String? { values.first { $0.number == number }?.name }
    func number(of name: String) -> Int32? { values.first { $0.name == name }?.number }
}

/// One RPC.
struct MethodSchema: Sendable {
    /// Full name of the service: `wsm.v1.Orchestrator`.
    var service: String
    var name: String
    var input: String
    var output: String
    var isClientStreaming: Bool
    var isServerStreaming: Bool
    /// Its `google.api.http` rule first, then the additional bindings.
    var rules: [HTTPRule]
    var comment = ""

    /// As in access rules and on the wire: `wsm.v1.Orchestrator/Apply`.
    var fullName: String { "\(service)/\(name)" }
}

/// One way to call a method over HTTP.
struct HTTPRule: Sendable, Hashable {
    var method: String
    var path: String
    /// The whole message is the body; otherwise there is none.
    var takesBody: Bool
}

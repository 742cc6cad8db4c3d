internal import Spec

/// An object as the command line names it: `NAME` or `TYPE/NAME`.
struct ObjectReference: Hashable, Sendable {
    let kind: ObjectKind
    let name: String

    /// As results print it: `connection/btc-trades`.
    var label: String { "\(kind.word)/\(name)" }
}

extension ObjectKind {
    /// As the command line and results write it.
    var word: String {
        switch self {
        case .connection: "connection"
        case .connectionSet: "connectionset"
        }
    }

    /// Reads a type as people write it: singular or plural, in any case.
    init?(word: String) {
        switch word.lowercased() {
        case "connection", "connections": self = .connection
        case "connectionset", "connectionsets": self = .connectionSet
        default: return nil
        }
    }
}

/// The positional arguments of `get`, `describe` and `delete`: `[TYPE] NAME…` or `TYPE/NAME…`.
struct ObjectArguments: Equatable, Sendable {
    /// The type that was named, if one was.
    var kind: ObjectKind?
    var references: [ObjectReference]

    /// - Parameter kind: Of `--kind`; it stands for a leading type.
    /// - Throws: A ``CommandFailure`` naming what cannot be read.
    init(_ words: [String], kind flag: ObjectKind? = nil) throws {
        var names = words[...]
        var kind = flag
        if kind == nil, let first = names.first, let named = ObjectKind(word: first) {
            kind = named
            names = names.dropFirst()
        }
        self.kind = kind
        references = try names.map { word in
            let parts = word.split(separator: "/", omittingEmptySubsequences: false)
            switch parts.count {
            case 1:
                return try Self.reference(kind ?? .connection, word)
            case 2:
                guard let named = ObjectKind(word: String(parts[0])) else {
                    throw CommandFailure.usage(
                        "\"\(parts[0])\" is no type; there are connection and connectionset")
                }
                return try Self.reference(named, String(parts[1]))
            default:
                throw CommandFailure.usage("\"\(word)\" is neither NAME nor TYPE/NAME")
            }
        }
    }

    private static func reference(_ kind: ObjectKind, _ name: String) throws -> ObjectReference {
        if let problem = ObjectName.problem(name) {
            throw CommandFailure.usage("\"\(name)\" is no name: \(problem)")
        }
        return ObjectReference(kind: kind, name: name)
    }
}

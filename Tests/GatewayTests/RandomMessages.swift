@testable import Gateway

/// Messages as JSON, drawn from the schema.
struct RandomMessages {
    let schema: ProtoSchema
    var generator: SeededGenerator

    mutating func json(_ name: String, depth: Int = 0) -> JSONValue {
        guard let message = schema.messages[name] else { return [:] }
        var members: [JSONValue.Member] = []
        var oneofs = Set<String>()
        for field in message.fields where Bool.random(using: &generator) {
            if let oneof = field.oneof, !oneofs.insert(oneof).inserted { continue }
            let usesProtoName = Bool.random(using: &generator)
            members.append(
                JSONValue.Member(
                    name: usesProtoName ? field.name : field.jsonName,
                    value: value(of: field, depth: depth)))
        }
        return .object(members)
    }

    private mutating func value(of field: FieldSchema, depth: Int) -> JSONValue {
        let count = depth > 3 ? 0 : Int.random(in: 0...3, using: &generator)
        if let kind = field.mapValue {
            return .object(
                (0..<count).map { index in
                    JSONValue.Member(
                        name: text() + "\(index)", value: value(of: kind, depth: depth))
                })
        }
        if field.isRepeated {
            return .array((0..<count).map { _ in value(of: field.kind, depth: depth + 1) })
        }
        return value(of: field.kind, depth: depth + 1)
    }

    private mutating func value(of kind: FieldKind, depth: Int) -> JSONValue {
        switch kind {
        case .string: return .string(text())
        case .bool: return .bool(Bool.random(using: &generator))
        case .int32: return .int(Int(number(Int32.self)))
        case .uint32: return .int(Int(number(UInt32.self)))
        case .int64: return .string(String(number(Int64.self)))
        case .uint64: return .string(String(number(UInt64.self)))
        case .bytes:
            let bytes = (0..<Int.random(in: 0...7, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            var text: [UInt8] = []
            Base64.encode(bytes, to: &text)
            return .string(String(decoding: text, as: UTF8.self))
        case .enum(let name):
            let values = schema.enums[name]?.values ?? []
            let name = values.randomElement(using: &generator)?.name
            return name.map { JSONValue.string($0) } ?? .int(0)
        case .message(let name): return json(name, depth: depth)
        case .unsupported: return .null
        }
    }

    /// Often at an end of its range.
    private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: .min
        case 1: .max
        case 2: 0
        default: Number.random(in: .min ... .max, using: &generator)
        }
    }

    private mutating func text() -> String {
        let parts = [
            "", "a", "ä", "\"", "\\", "\n", "\u{7F}", "\u{2028}", "😀", "/", "</", "\u{01}",
        ]
        return (0..<Int.random(in: 0...4, using: &generator)).map { _ in
            parts.randomElement(using: &generator) ?? ""
        }.joined()
    }
}

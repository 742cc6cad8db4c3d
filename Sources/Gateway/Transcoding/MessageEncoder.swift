/// From JSON to protobuf by the proto3 JSON mapping, driven by the schema.
///
/// Both names of a field are accepted. A name that no field has is refused, and every refusal names
/// its place; a generated decoder says neither.
struct MessageEncoder {
    let schema: ProtoSchema

    /// - Throws: ``FieldProblem``.
    func encode(
        _ node: JSONNode, as name: String, at path: FieldPath = FieldPath()
    ) throws(FieldProblem) -> [UInt8] {
        guard let message = schema.messages[name] else {
            throw path.problem("is of a message that is not known")
        }
        guard let members = node.members else {
            throw path.problem(
                path.text.isEmpty
                    ? "the body must be a JSON object, not \(node.kind)"
                    : "must be an object, not \(node.kind)")
        }
        var out: [UInt8] = []
        var given = Set<Int>()
        var oneofs: [String: String] = [:]
        for member in members {
            guard let field = message.field(named: member.name) else {
                throw path.problem(Self.unknown(member.name, in: message, at: path))
            }
            let place = path.appending(member.name)
            guard given.insert(field.number).inserted else {
                throw place.problem("is given twice: \(field.jsonName) and \(field.name)")
            }
            if case .null = member.node.value { continue }
            if let oneof = field.oneof,
                let other = oneofs.updateValue(field.jsonName, forKey: oneof)
            {
                throw place.problem("and \(other) exclude each other")
            }
            try encode(member.node, field: field, at: place, to: &out)
        }
        return out
    }

    private static func unknown(
        _ name: String, in message: MessageSchema, at path: FieldPath
    ) -> String {
        let names = message.fields.map(\.jsonName).joined(separator: ", ")
        let known = names.isEmpty ? "it has none" : "there are \(names)"
        return path.text.isEmpty
            ? "there is no field \(Quoted(name)); \(known)"
            : "has no field \(Quoted(name)); \(known)"
    }

    private func encode(
        _ node: JSONNode, field: FieldSchema, at path: FieldPath, to out: inout [UInt8]
    ) throws(FieldProblem) {
        if let kind = field.mapValue {
            guard let members = node.members else {
                throw path.problem("must be an object, not \(node.kind)")
            }
            for member in members {
                let place = path.appending(member.name)
                var entry: [UInt8] = []
                WireWriter.bytesField(1, Array(member.name.utf8), to: &entry)
                try encode(member.node, kind: kind, number: 2, at: place, to: &entry)
                WireWriter.bytesField(field.number, entry, to: &out)
            }
        } else if field.isRepeated {
            guard case .array(let elements) = node.value else {
                throw path.problem("must be an array, not \(node.kind)")
            }
            for (index, element) in elements.enumerated() {
                try encode(
                    element, kind: field.kind, number: field.number, at: path.appending(index),
                    to: &out)
            }
        } else {
            try encode(node, kind: field.kind, number: field.number, at: path, to: &out)
        }
    }

    private func encode(
        _ node: JSONNode, kind: FieldKind, number: Int, at path: FieldPath, to out: inout [UInt8]
    ) throws(FieldProblem) {
        switch kind {
        case .string:
            guard case .string(let text) = node.value else {
                throw path.problem("must be a string, not \(node.kind)")
            }
            WireWriter.bytesField(number, Array(text.utf8), to: &out)
        case .bytes:
            WireWriter.bytesField(number, try Self.base64(node, at: path), to: &out)
        case .bool:
            guard case .bool(let value) = node.value else {
                throw path.problem("must be true or false, not \(node.kind)")
            }
            WireWriter.varintField(number, value ? 1 : 0, to: &out)
        case .int32: try integer(node, Int32.self, number, at: path, to: &out)
        case .int64: try integer(node, Int64.self, number, at: path, to: &out)
        case .uint32: try integer(node, UInt32.self, number, at: path, to: &out)
        case .uint64: try integer(node, UInt64.self, number, at: path, to: &out)
        case .enum(let name):
            let value = try enumNumber(node, name, at: path)
            WireWriter.varintField(number, UInt64(bitPattern: Int64(value)), to: &out)
        case .message(let name):
            WireWriter.bytesField(number, try encode(node, as: name, at: path), to: &out)
        case .unsupported(let type):
            throw path.problem("is of type \(type), which cannot be given in JSON")
        }
    }
}

// MARK: - Scalars

extension MessageEncoder {
    private func integer<Number: FixedWidthInteger>(
        _ node: JSONNode, _ type: Number.Type, _ number: Int, at path: FieldPath,
        to out: inout [UInt8]
    ) throws(FieldProblem) {
        let text: String
        switch node.value {
        case .number(let digits): text = digits
        case .string(let digits): text = digits
        default: throw path.problem("must be a whole number, not \(node.kind)")
        }
        guard let value = WholeNumber.parse(text, as: type) else {
            throw path.problem(
                "must be a whole number from \(Number.min) to \(Number.max), not \(Quoted(text))")
        }
        WireWriter.varintField(
            number,
            Number.isSigned
                ? UInt64(bitPattern: Int64(truncatingIfNeeded: value))
                : UInt64(truncatingIfNeeded: value),
            to: &out)
    }

    private func enumNumber(
        _ node: JSONNode, _ name: String, at path: FieldPath
    ) throws(FieldProblem) -> Int32 {
        let type = schema.enums[name]
        switch node.value {
        case .number(let text):
            if let value = WholeNumber.parse(text, as: Int32.self) { return value }
        case .string(let text):
            if let value = type?.number(of: text) { return value }
        default: break
        }
        let names = (type?.values ?? []).map(\.name).joined(separator: ", ")
        throw path.problem("must be one of \(names)")
    }

    /// Standard or URL-safe, with or without padding.
    private static func base64(
        _ node: JSONNode, at path: FieldPath
    ) throws(FieldProblem) -> [UInt8] {
        guard case .string(let text) = node.value else {
            throw path.problem("must be base64 in a string, not \(node.kind)")
        }
        guard let bytes = Base64.decode(text.utf8) else {
            throw path.problem("is not base64")
        }
        return bytes
    }
}

/// Whole numbers as JSON writes them: `12`, and also `12.0` and `1.2e1`.
enum WholeNumber {
    static func parse<Number: FixedWidthInteger>(_ text: String, as type: Number.Type) -> Number? {
        guard text.utf8.first != UInt8(ascii: "+") else { return nil }
        if let value = Number(text) { return value }
        // No number of a field has more digits than this; a longer text is not one.
        guard text.utf8.count <= 40 else { return nil }
        var digits = text[...]
        let isNegative = digits.first == "-"
        if isNegative { digits = digits.dropFirst() }
        let parts = digits.split(
            omittingEmptySubsequences: false, whereSeparator: { $0 == "e" || $0 == "E" })
        guard parts.count <= 2, let exponent = parts.count == 2 ? Int(parts[1]) : 0,
            (-40...40).contains(exponent)
        else { return nil }
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard mantissa.count <= 2, let whole = mantissa.first, !whole.isEmpty,
            mantissa.count == 1 || !mantissa[1].isEmpty,
            mantissa.allSatisfy({ $0.allSatisfy { ("0"..."9").contains($0) } })
        else { return nil }
        var all = String(whole) + (mantissa.count == 2 ? mantissa[1] : "")
        let zeros = exponent - (mantissa.count == 2 ? mantissa[1].count : 0)
        if zeros >= 0 {
            all += String(repeating: "0", count: zeros)
        } else {
            let fraction = all.suffix(-zeros)
            guard fraction.allSatisfy({ $0 == "0" }) else { return nil }
            all = String(all.dropLast(min(-zeros, all.count)))
        }
        return Number((isNegative ? "-" : "") + (all.isEmpty ? "0" : all))
    }
}

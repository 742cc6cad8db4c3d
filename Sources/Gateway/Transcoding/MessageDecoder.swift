/// From protobuf to JSON by the proto3 JSON mapping, driven by the schema.
///
/// A field without presence is written even where it has its default, so that a reader finds
/// `status`, `tags` and the like without asking; one with presence only where it is set.
struct MessageDecoder {
    let schema: ProtoSchema

    /// - Throws: ``WireReader/Malformed``, or ``ProtoSchema/Problem`` for an unknown message.
    func json(_ bytes: [UInt8], of name: String) throws -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count * 2)
        try append(bytes[...], of: try schema.message(name), to: &out)
        return out
    }

    private func append(
        _ bytes: ArraySlice<UInt8>, of message: MessageSchema, to out: inout [UInt8]
    ) throws {
        var values = [[WireReader.Value]](repeating: [], count: message.fields.count)
        var reader = WireReader(bytes)
        while let (number, value) = try reader.next() {
            guard let index = message.index(ofNumber: number) else { continue }
            values[index].append(value)
        }
        out.append(UInt8(ascii: "{"))
        var isFirst = true
        for (field, values) in zip(message.fields, values) {
            if values.isEmpty, field.hasPresence { continue }
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONText.append(field.jsonName, to: &out)
            out.append(UInt8(ascii: ":"))
            try append(values, field: field, to: &out)
        }
        out.append(UInt8(ascii: "}"))
    }

    private func append(
        _ values: [WireReader.Value], field: FieldSchema, to out: inout [UInt8]
    ) throws {
        if let kind = field.mapValue {
            try appendMap(values, kind: kind, to: &out)
        } else if field.isRepeated {
            try appendArray(values, kind: field.kind, to: &out)
        } else if let last = values.last {
            // Parts of one message may be split; no writer of ours does that.
            try append(last, kind: field.kind, to: &out)
        } else {
            out += Self.zero(of: field.kind, schema)
        }
    }

    private func appendArray(
        _ values: [WireReader.Value], kind: FieldKind, to out: inout [UInt8]
    ) throws {
        out.append(UInt8(ascii: "["))
        var isFirst = true
        for value in values {
            for value in try Self.unpacked(value, kind) {
                if !isFirst { out.append(UInt8(ascii: ",")) }
                isFirst = false
                try append(value, kind: kind, to: &out)
            }
        }
        out.append(UInt8(ascii: "]"))
    }

    /// Numbers of a repeated field stand together in one value.
    private static func unpacked(
        _ value: WireReader.Value, _ kind: FieldKind
    ) throws -> [WireReader.Value] {
        switch kind {
        case .string, .bytes, .message, .unsupported: return [value]
        case .bool, .int32, .int64, .uint32, .uint64, .enum: break
        }
        guard case .bytes(let packed) = value else { return [value] }
        var reader = WireReader(packed)
        var values: [WireReader.Value] = []
        while !reader.isAtEnd { values.append(.varint(try reader.varint())) }
        return values
    }

    /// Keys in order, so that equal maps are equal texts.
    private func appendMap(
        _ values: [WireReader.Value], kind: FieldKind, to out: inout [UInt8]
    ) throws {
        var entries: [String: WireReader.Value?] = [:]
        for case .bytes(let entry) in values {
            var reader = WireReader(entry)
            var key = ""
            var content: WireReader.Value?
            while let (number, value) = try reader.next() {
                if number == 1, case .bytes(let text) = value {
                    key = String(decoding: text, as: UTF8.self)
                } else if number == 2 {
                    content = value
                }
            }
            entries[key] = .some(content)
        }
        out.append(UInt8(ascii: "{"))
        for (index, entry) in entries.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONText.append(entry.key, to: &out)
            out.append(UInt8(ascii: ":"))
            if let value = entry.value {
                try append(value, kind: kind, to: &out)
            } else {
                out += Self.zero(of: kind, schema)
            }
        }
        out.append(UInt8(ascii: "}"))
    }

    private func append(
        _ value: WireReader.Value, kind: FieldKind, to out: inout [UInt8]
    ) throws {
        switch (kind, value) {
        case (.string, .bytes(let text)):
            JSONText.append(String(decoding: text, as: UTF8.self), to: &out)
        case (.bytes, .bytes(let bytes)):
            out.append(UInt8(ascii: "\""))
            Base64.encode(bytes, to: &out)
            out.append(UInt8(ascii: "\""))
        case (.message(let name), .bytes(let bytes)):
            try append(bytes, of: try schema.message(name), to: &out)
        case (.bool, .varint(let value)): out += Array((value != 0 ? "true" : "false").utf8)
        case (.int32, .varint(let value)):
            out += Array(String(Int32(truncatingIfNeeded: value)).utf8)
        case (.uint32, .varint(let value)):
            out += Array(String(UInt32(truncatingIfNeeded: value)).utf8)
        case (.int64, .varint(let value)):
            JSONText.append(String(Int64(bitPattern: value)), to: &out)
        case (.uint64, .varint(let value)): JSONText.append(String(value), to: &out)
        case (.enum(let name), .varint(let value)):
            let number = Int32(truncatingIfNeeded: value)
            if let name = schema.enums[name]?.name(of: number) {
                JSONText.append(name, to: &out)
            } else {
                out += Array(String(number).utf8)
            }
        default: throw WireReader.Malformed()
        }
    }

    private static func zero(of kind: FieldKind, _ schema: ProtoSchema) -> [UInt8] {
        switch kind {
        case .string, .bytes: return Array("\"\"".utf8)
        case .bool: return Array("false".utf8)
        case .int32, .uint32: return Array("0".utf8)
        case .int64, .uint64: return Array("\"0\"".utf8)
        case .message: return Array("{}".utf8)
        case .unsupported: return Array("null".utf8)
        case .enum(let name):
            var out: [UInt8] = []
            JSONText.append(schema.enums[name]?.name(of: 0) ?? "0", to: &out)
            return out
        }
    }
}

import Logging
import ManagerCore
import Spec

/// One log event on its way to a line.
struct LogLine {
    var time: WallTime
    var level: Logger.Level
    var label: String
    /// The module that logs.
    var source: String
    var message: String
    var metadata: Logger.Metadata
    /// What all lines of the logger say beside their own, which goes before.
    var shared: Logger.Metadata = [:]

    /// In bytes; one that is longer costs another allocation.
    private static let usualLength = 256

    /// `TIME LEVEL LABEL: KEY=VALUE … [SOURCE] MESSAGE`, keys in order.
    var text: [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(Self.usualLength)
        func add(_ separator: StaticString, _ part: String) {
            line.append(
                contentsOf: UnsafeBufferPointer(
                    start: separator.utf8Start, count: separator.utf8CodeUnitCount))
            line.append(contentsOf: part.utf8)
        }
        time.appendRFC3339(to: &line)
        add(" ", level.rawValue)
        add(" ", LogText.value(label))
        line.append(UInt8(ascii: ":"))
        for (key, value) in members {
            add(" ", LogText.value(key))
            add("=", LogText.value(Self.plain(value)))
        }
        add(" [", LogText.value(source))
        add("] ", LogText.escaped(message))
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// `{"ts": …, "level": …, "msg": …, "label": …}` and the metadata beside them, by their keys.
    var json: [UInt8] {
        var object: [JSONValue.Member] = [
            .init("ts", .string(time.rfc3339)), .init("level", .string(level.rawValue)),
            .init("msg", .string(message)), .init("label", .string(label)),
        ]
        let taken = Set(object.map(\.key))
        for (key, value) in members {
            // Metadata never stands in for what the line itself says.
            object.append(.init(taken.contains(key) ? "metadata.\(key)" : key, Self.json(value)))
        }
        let text = String(decoding: JSONValue.object(object).serialized(), as: UTF8.self)
        return Array((Self.visible(text) + "\n").utf8)
    }

    /// Line ends and control characters beyond ASCII stand as they are in JSON; readers of lines
    /// must not stumble over them. All of them are inside of strings.
    private static func visible(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: LogText.isHidden) else { return json }
        var text = ""
        for scalar in json.unicodeScalars {
            guard LogText.isHidden(scalar) else {
                text.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let hex = String(unit, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
            }
        }
        return text
    }

    /// The metadata with dictionaries taken apart: `a: {b: 1}` is `a.b: 1`.
    private var members: [(key: String, value: Logger.Metadata.Value)] {
        var flat: [(key: String, value: Logger.Metadata.Value)] = []
        flat.reserveCapacity(metadata.count + shared.count)
        Self.flatten(metadata, prefix: "", into: &flat)
        let rest = shared.lazy.filter { metadata[$0.key] == nil }
        Self.flatten(rest, prefix: "", into: &flat)
        flat.sort { $0.key < $1.key }
        return flat
    }

    private static func flatten(
        _ metadata: some Sequence<Logger.Metadata.Element>, prefix: String,
        into flat: inout [(key: String, value: Logger.Metadata.Value)]
    ) {
        for (key, value) in metadata {
            if case .dictionary(let inner) = value {
                flatten(inner, prefix: "\(prefix)\(key).", into: &flat)
            } else {
                flat.append((prefix.isEmpty ? key : prefix + key, value))
            }
        }
    }

    private static func plain(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): "[" + values.map(plain).joined(separator: ", ") + "]"
        case .dictionary(let members):
            members.sorted { $0.key < $1.key }.map { "\($0.key): \(plain($0.value))" }
                .joined(separator: ", ")
        }
    }

    private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value): .string(value.description)
        case .array(let values): .array(values.map(json))
        case .dictionary(let members):
            .object(
                members.sorted { $0.key < $1.key }.map { .init($0.key, json($0.value)) })
        }
    }
}

import Spec

/// `--print-config`: each effective value and its origin.
package enum ConfigPrinting {
    /// What stands for the value of a secret.
    static let mask = "********"

    /// Three columns: flag, value, origin.
    package static func text(_ settings: ResolvedSettings) -> String {
        let rows = settings.entries.map { entry in
            (entry.setting.name.rawValue, shown(entry) ?? "-", entry.origin.description)
        }
        let names = rows.map(\.0.count).max() ?? 0
        // One long path must not push the origins off every line.
        let values = min(rows.map(\.1.count).max() ?? 0, 40)
        return rows.map { name, value, origin in
            padded(name, names) + "  " + padded(value, values) + "  " + origin + "\n"
        }.joined()
    }

    /// An object for each setting: `name`, `value` (`null`: not set), `origin`.
    package static func json(_ settings: ResolvedSettings) -> String {
        let objects = settings.entries.map { entry in
            let members: [JSONValue.Member] = [
                .init("name", .string(entry.setting.name.rawValue)),
                .init("value", jsonValue(entry)),
                .init("origin", origin(entry.origin)),
            ]
            return "  "
                + String(
                    decoding: JSONValue.object(members).serialized(), as: UTF8.self)
        }
        return "[\n" + objects.joined(separator: ",\n") + "\n]\n"
    }

    static func shown(_ entry: ResolvedSettings.Entry) -> String? {
        guard let value = entry.value else { return nil }
        if entry.setting.isSecret { return mask }
        let text = entry.setting.kind.text(value)
        return text.isEmpty ? nil : text.quotedWhereNeeded
    }

    static func jsonValue(_ entry: ResolvedSettings.Entry) -> JSONValue {
        guard let value = entry.value else { return .null }
        if entry.setting.isSecret { return .string(mask) }
        switch (entry.setting.kind, value) {
        case (.integer, .integer), (.number, .number):
            return .number(entry.setting.kind.text(value))
        case (_, .flag(let isOn)):
            return .bool(isOn)
        case (_, .list(let elements)):
            return .array(elements.map(JSONValue.string))
        default:
            return .string(entry.setting.kind.text(value))
        }
    }

    private static func origin(_ origin: SettingOrigin) -> JSONValue {
        var members: [JSONValue.Member] = [.init("kind", .string(origin.kind))]
        switch origin {
        case .flag(let name), .environment(let name):
            members.append(.init("name", .string(name)))
        case .file(let position):
            members.append(.init("file", .string(position.file)))
            members.append(.init("line", .number(String(position.line))))
            members.append(.init("column", .number(String(position.column))))
        case .standard:
            break
        }
        return .object(members)
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

import Spec

/// What a `--config` file says: keys are the flags' names in camel case, values are written as the
/// flags take them, lists as YAML lists.
struct SettingsFile: Sendable {
    struct Given: Sendable {
        var texts: [String]
        var position: SourcePosition
    }

    private(set) var given: [SettingName: Given] = [:]
    /// As `file:line:col: key: sentence`, in the order of the file.
    private(set) var problems: [String] = []

    init() {}

    init(_ source: ManifestSource) {
        let document = FlatDocument(source)
        problems = document.diagnostics.map(\.description)
        let byKey = Dictionary(
            SettingTable.settings.compactMap { setting in
                setting.fileKey.map { ($0, setting) }
            }, uniquingKeysWith: { first, _ in first })
        for entry in document.entries {
            guard let setting = byKey[entry.key] else {
                report(entry.position, entry.key, Self.unknown(entry.key, known: byKey))
                continue
            }
            take(entry, setting)
        }
    }

    private static func unknown(_ key: String, known: [String: Setting]) -> String {
        if key == SettingName.config.rawValue { return "a file cannot name another file" }
        return "unknown key" + Suggestion.hint(key, among: known.keys.sorted())
    }

    private mutating func take(_ entry: FlatDocument.Entry, _ setting: Setting) {
        let items: [FlatDocument.Item]
        switch (entry.value, setting.kind) {
        case (.scalar(let item), _): items = [item]
        case (.list(let all), .list): items = all
        case (.list, _):
            report(entry.position, entry.key, "one value is wanted, not a list")
            return
        }
        for item in items {
            if let problem = Self.problem(item, setting.kind) {
                report(item.position, entry.key, problem)
                return
            }
        }
        let texts = items.map(\.text)
        do throws(SyntaxProblem) {
            if !texts.isEmpty { _ = try setting.kind.parse(all: texts) }
        } catch {
            let place = items.first?.position ?? entry.position
            let value = setting.isSecret ? "" : " \(texts.joined(separator: ", "))"
            report(place, entry.key, "the value\(value): \(error.message)")
            return
        }
        given[setting.name] = Given(
            texts: texts, position: items.first?.position ?? entry.position)
    }

    /// The types of YAML are kept apart, as in manifests.
    private static func problem(_ item: FlatDocument.Item, _ kind: SettingKind) -> String? {
        if item.kind == .null { return "a value is wanted; leave the key out for the default" }
        switch kind {
        case .flag:
            return item.kind == .bool ? nil : "true or false is wanted, without quotes"
        case .integer, .number:
            return item.kind == .number ? nil : "a number is wanted, without quotes"
        case .text, .path, .list, .choice, .level:
            return item.kind == .string ? nil : "a string is wanted: put it in quotes"
        case .size, .duration, .attempts:
            return nil
        }
    }

    private mutating func report(_ position: SourcePosition, _ key: String, _ sentence: String) {
        problems.append("\(position): \(key): \(sentence)")
    }
}

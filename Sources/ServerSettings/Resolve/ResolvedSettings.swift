import Manager
import Spec

/// Every setting with its value and where it came from: flag, else environment, else file, else
/// default.
package struct ResolvedSettings: Sendable {
    package struct Entry: Sendable {
        package let setting: Setting
        /// `nil`: not set, and there is no default.
        package let value: SettingValue?
        package let origin: SettingOrigin
    }

    /// In the order of the table.
    package private(set) var entries: [Entry] = []
    /// What keeps the server from starting: all of it, one sentence each, naming the origin.
    package private(set) var problems: [String] = []
    /// What is accepted, and will be logged.
    package private(set) var warnings: [String] = []
    private var byName: [SettingName: Int] = [:]

    /// - Parameters:
    ///   - flags: what the command line gave, as it was written.
    ///   - readFile: reads the file of `--config`; its error is a sentence.
    package init(
        flags: [SettingName: [String]], environment: [String: String], host: HostFacts,
        readFile: (String) throws -> [UInt8]
    ) {
        let variables = ServerEnvironment(environment)
        let file = settingsFile(flags, variables, readFile)
        problems += file.problems
        for setting in SettingTable.settings {
            let entry = resolve(setting, flags, variables, file)
            byName[setting.name] = entries.count
            entries.append(entry)
        }
        fillIn(.dataDir, .text(Self.dataDirectory(environment, host)))
        let name = environment["HOSTNAME"].flatMap { $0.isEmpty ? nil : $0 } ?? host.hostName
        fillIn(.instanceID, .text("\(name)-\(integer(.grpcPort) ?? 0)"))
        checkPorts()
        warnings += variables.unknownVariables(
            secretPrefix: text(.secretEnvPrefix) ?? "WSM_SECRET_")
        let usesDapr = [text(.state), text(.bus)].contains(StateKind.dapr.rawValue)
        warnings += SettingTable.ofDapr.compactMap { name in
            usesDapr || origin(name) == .standard
                ? nil
                : "\(SettingTable[name].flag) (\(origin(name))) has no effect with "
                    + "--state sqlite --bus local"
        }
    }

    private mutating func settingsFile(
        _ flags: [SettingName: [String]], _ variables: ServerEnvironment,
        _ readFile: (String) throws -> [UInt8]
    ) -> SettingsFile {
        let setting = SettingTable[.config]
        guard
            let path = flags[.config]?.last
                ?? (try? variables.given(setting))?.texts.last
        else { return SettingsFile() }
        do {
            return SettingsFile(ManifestSource(name: path, bytes: try readFile(path)))
        } catch {
            problems.append("\(setting.flag) \(path): it cannot be read: \(error)")
            return SettingsFile()
        }
    }

    private mutating func resolve(
        _ setting: Setting, _ flags: [SettingName: [String]], _ variables: ServerEnvironment,
        _ file: SettingsFile
    ) -> Entry {
        if let texts = flags[setting.name] {
            return parsed(setting, texts, setting.flag, .flag(setting.flag))
        }
        do throws(ServerEnvironment.Fault) {
            if let (texts, name) = try variables.given(setting) {
                return parsed(setting, texts, name, .environment(name))
            }
        } catch {
            report(setting, [error.text], error.name, error.sentence)
            return standard(setting, .environment(error.name))
        }
        if let given = file.given[setting.name] {
            // It was read without a problem already.
            let value = try? setting.kind.parse(all: given.texts)
            let isEmpty = given.texts.isEmpty
            return Entry(
                setting: setting, value: isEmpty ? .list([]) : value,
                origin: .file(given.position))
        }
        return standard(setting, .standard)
    }

    private func standard(_ setting: Setting, _ origin: SettingOrigin) -> Entry {
        Entry(
            setting: setting, value: setting.defaultText.flatMap { try? setting.kind.parse($0) },
            origin: origin)
    }

    private mutating func parsed(
        _ setting: Setting, _ texts: [String], _ name: String, _ origin: SettingOrigin
    ) -> Entry {
        do throws(SyntaxProblem) {
            return Entry(
                setting: setting, value: try setting.kind.parse(all: texts), origin: origin)
        } catch {
            report(setting, texts, name, error.message)
            return standard(setting, origin)
        }
    }

    private mutating func report(
        _ setting: Setting, _ texts: [String], _ name: String, _ sentence: String
    ) {
        let value = setting.isSecret ? "wrong" : texts.joined(separator: ",").quotedWhereNeeded
        problems.append("\(name) is \(value): \(sentence)")
    }

    private mutating func fillIn(_ name: SettingName, _ value: SettingValue) {
        guard let index = byName[name], entries[index].value == nil else { return }
        let entry = entries[index]
        entries[index] = Entry(setting: entry.setting, value: value, origin: entry.origin)
    }

    private mutating func checkPorts() {
        guard let http = integer(.httpPort), let grpc = integer(.grpcPort), http == grpc, http != 0
        else { return }
        problems.append(
            "--http-port and --grpc-port are both \(http) (\(origin(.httpPort)) and "
                + "\(origin(.grpcPort))): each needs a port of its own")
    }

    private static func dataDirectory(_ environment: [String: String], _ host: HostFacts) -> String
    {
        if let state = environment["XDG_STATE_HOME"], !state.isEmpty { return state + "/wsm" }
        if host.isRoot { return "/var/lib/wsm" }
        return (environment["HOME"] ?? "/tmp") + "/.local/state/wsm"
    }
}

// MARK: Looking up

extension ResolvedSettings {
    package func value(_ name: SettingName) -> SettingValue? {
        byName[name].flatMap { entries[$0].value }
    }

    package func origin(_ name: SettingName) -> SettingOrigin {
        byName[name].map { entries[$0].origin } ?? .standard
    }

    func text(_ name: SettingName) -> String? {
        if case .text(let text) = value(name) { text } else { nil }
    }

    func integer(_ name: SettingName) -> Int? {
        if case .integer(let number) = value(name) { number } else { nil }
    }

    func number(_ name: SettingName) -> Double? {
        if case .number(let number) = value(name) { number } else { nil }
    }

    func duration(_ name: SettingName) -> Duration? {
        if case .duration(let duration) = value(name) { duration } else { nil }
    }

    func list(_ name: SettingName) -> [String] {
        if case .list(let elements) = value(name) { elements } else { [] }
    }

    func flag(_ name: SettingName) -> Bool {
        if case .flag(let isOn) = value(name) { isOn } else { false }
    }

    /// Adds to a sentence that names flags where those got their values, if not from themselves.
    package func explained(_ sentence: String) -> String {
        let named = entries.filter { entry in
            if case .flag = entry.origin { return false }
            guard entry.origin != .standard else { return false }
            return sentence.mentions(entry.setting.flag)
        }
        guard !named.isEmpty else { return sentence }
        let notes = named.map { "\($0.setting.flag) is from \($0.origin)" }
        return "\(sentence) (\(notes.joined(separator: ", ")))"
    }
}

extension String {
    /// True if the flag stands in the text as a word of its own.
    fileprivate func mentions(_ flag: String) -> Bool {
        split { !($0.isLetter || $0.isNumber || $0 == "-") }.contains { $0 == flag }
    }

    /// As it is if it is a plain word; else in quotes with its control characters escaped.
    var quotedWhereNeeded: String {
        isPlainWord ? self : LogText.quoted(self)
    }

    private var isPlainWord: Bool {
        !isEmpty && unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7F }
    }
}

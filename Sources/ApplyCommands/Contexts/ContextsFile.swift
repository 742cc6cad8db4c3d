internal import Spec

/// The servers a person works with, by name:
///
///     currentContext: prod
///     contexts:
///       prod:
///         server: wsm.example.com:5002
///         ca: prod-ca.pem
///         tokenFile: prod.token
///
/// Paths are relative to the file's directory.
struct ContextsFile: Sendable, Equatable {
    /// Bytes read: names and paths of some hundred servers are far less.
    static let maxBytes = 1 << 20

    /// One server, and how to be let in.
    struct Context: Sendable, Equatable {
        var name: String
        /// Key of ``keys`` → value; only those that are written.
        var values: [String: String] = [:]
        var usesTLS: Bool?
    }

    /// The texts a context may have; beside them the bool `tls`.
    static let keys = ["server", "ca", "cert", "key", "tokenFile"]

    var path: String
    var current: String?
    /// In the order of the file.
    var contexts: [Context] = []

    subscript(name: String) -> Context? { contexts.first { $0.name == name } }

    /// Where the file is: `WSM_CONFIG`, else `$XDG_CONFIG_HOME/wsm/contexts.yaml`, which by default
    /// is below `~/.config`.
    ///
    /// - Returns: `nil` where not even a home directory is known.
    static func path(_ environment: [String: String]) -> (path: String, isNamed: Bool)? {
        func text(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        if let path = text("WSM_CONFIG") { return (path, true) }
        if let directory = text("XDG_CONFIG_HOME") {
            return (directory + "/wsm/contexts.yaml", false)
        }
        return text("HOME").map { ($0 + "/.config/wsm/contexts.yaml", false) }
    }

    /// Reads the file; one that is not there has no contexts, unless `WSM_CONFIG` names it.
    ///
    /// - Throws: A ``CommandFailure`` with every problem as `file:line:col: path: sentence`.
    static func load(_ environment: [String: String]) throws(CommandFailure) -> ContextsFile {
        guard let (path, isNamed) = path(environment) else { return ContextsFile(path: "") }
        if !isNamed, case .missing = SystemCalls.entry(at: path) { return ContextsFile(path: path) }
        let bytes: [UInt8]
        do throws(CommandFailure) {
            bytes = try SystemCalls.contents(of: path, limit: maxBytes)
        } catch {
            throw .usage("the contexts file \(path) cannot be read: \(error.message)")
        }
        guard bytes.count <= maxBytes else {
            throw .usage("the contexts file \(path) is larger than \(maxBytes) bytes")
        }
        return try parse(bytes, path: path)
    }

    /// - Throws: A ``CommandFailure`` with every problem.
    static func parse(_ bytes: [UInt8], path: String) throws(CommandFailure) -> ContextsFile {
        var reader = ContextsReader(path: path)
        let (root, diagnostics) = PlacedValue.read(ManifestSource(name: path, bytes: bytes))
        reader.problems = diagnostics.map(\.description)
        if let root { reader.read(root) }
        guard reader.problems.isEmpty else {
            throw .usage(reader.problems.joined(separator: "\n"))
        }
        return reader.file
    }
}

/// Makes a contexts file of a document.
private struct ContextsReader {
    var file: ContextsFile
    var problems: [String] = []

    init(path: String) {
        file = ContextsFile(path: path)
    }

    mutating func read(_ root: PlacedValue) {
        guard case .map(let members) = root.content else {
            return add(root.position, "", "a map is wanted, not \(root.kindName)")
        }
        var current: PlacedValue?
        for member in members {
            switch member.key {
            case "currentContext":
                current = member.value
                file.current = text(member, at: "currentContext")
            case "contexts": contexts(member.value)
            default:
                unknown(member, at: member.key, among: ["currentContext", "contexts"])
            }
        }
        if let current, let name = file.current, file[name] == nil, problems.isEmpty {
            add(current.position, "currentContext", "there is no context \"\(name)\"")
        }
    }

    private mutating func contexts(_ value: PlacedValue) {
        guard case .map(let members) = value.content else {
            return add(
                value.position, "contexts", "a map of names is wanted, not \(value.kindName)")
        }
        for member in members {
            let path = "contexts.\(member.key)"
            guard case .map(let settings) = member.value.content else {
                add(member.value.position, path, "a map is wanted, not \(member.value.kindName)")
                continue
            }
            var context = ContextsFile.Context(name: member.key)
            for setting in settings { read(setting, of: &context, at: "\(path).\(setting.key)") }
            file.contexts.append(context)
        }
    }

    private mutating func read(
        _ setting: PlacedValue.Member, of context: inout ContextsFile.Context, at path: String
    ) {
        if setting.key == "tls" {
            guard case .bool(let isOn) = setting.value.content else {
                return add(setting.value.position, path, "true or false is wanted")
            }
            context.usesTLS = isOn
            return
        }
        guard ContextsFile.keys.contains(setting.key) else {
            return unknown(setting, at: path, among: ContextsFile.keys + ["tls"])
        }
        guard let text = text(setting, at: path) else { return }
        if setting.key == "server", ServerAddress(text) == nil {
            return add(setting.value.position, path, "HOST:PORT is wanted")
        }
        context.values[setting.key] = text
    }

    private mutating func text(_ member: PlacedValue.Member, at path: String) -> String? {
        if case .string(let text) = member.value.content, !text.isEmpty { return text }
        // A name of digits only is one too.
        if case .other(let text) = member.value.content, !text.isEmpty { return text }
        add(member.value.position, path, "a text is wanted")
        return nil
    }

    private mutating func unknown(
        _ member: PlacedValue.Member, at path: String, among keys: [String]
    ) {
        add(
            member.position, path,
            "unknown key; there are \(keys.joined(separator: ", "))")
    }

    private mutating func add(_ position: SourcePosition, _ path: String, _ message: String) {
        problems.append("\(position): " + (path.isEmpty ? "" : "\(path): ") + message)
    }
}

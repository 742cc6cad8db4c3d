internal import ArgumentParser
internal import Spec

/// A verb and its arguments, read from the definitions that also parse the command line.
struct CommandTree: Sendable, Equatable {
    /// One option, flag or positional argument.
    struct Argument: Sendable, Equatable {
        enum Kind: String, Sendable {
            case positional, option, flag
        }

        var kind: Kind
        /// As written: `--output`, `-o`.
        var names: [String] = []
        var valueName = ""
        var isRepeating = false
        /// Of an option with a fixed choice.
        var values: [String] = []
        var summary = ""
    }

    var name: String
    var summary = ""
    var arguments: [Argument] = []
    var subcommands: [CommandTree] = []

    func subcommand(_ name: String) -> CommandTree? { subcommands.first { $0.name == name } }

    /// The option or flag with a name such as `--output` or `-o`.
    func option(_ name: String) -> Argument? {
        arguments.first { $0.kind != .positional && $0.names.contains(name) }
    }

    /// The verbs of this program, without the hidden ones.
    static func ofProgram() -> CommandTree? { read(WSMApply._dumpHelp()) }

    /// The flags every verb has.
    static func ofCommonOptions() -> CommandTree? { read(CommonOptions._dumpHelp()) }

    /// - Parameter dump: As `--experimental-dump-help` prints it.
    static func read(_ dump: String) -> CommandTree? {
        (try? JSONValue.parse(Array(dump.utf8)))?["command"].map { CommandTree($0) }
    }
}

extension CommandTree {
    private init(_ json: JSONValue) {
        name = json["commandName"]?.text ?? ""
        summary = json["abstract"]?.text ?? ""
        arguments = (json["arguments"]?.items ?? []).filter(\.isShown).compactMap(Argument.init)
        subcommands = (json["subcommands"]?.items ?? []).filter(\.isShown).map { CommandTree($0) }
    }
}

extension CommandTree.Argument {
    fileprivate init?(_ json: JSONValue) {
        guard let kind = json["kind"]?.text.flatMap(Kind.init) else { return nil }
        self.kind = kind
        names = (json["names"]?.items ?? []).compactMap { name in
            guard let text = name["name"]?.text else { return nil }
            return (name["kind"]?.text == "long" ? "--" : "-") + text
        }
        valueName = json["valueName"]?.text ?? ""
        isRepeating = json["isRepeating"] == true
        values = (json["allValues"]?.items ?? []).compactMap(\.text)
        summary = json["abstract"]?.text ?? ""
    }
}

extension JSONValue {
    fileprivate var items: [JSONValue]? {
        if case .array(let items) = self { items } else { nil }
    }

    fileprivate var isShown: Bool { self["shouldDisplay"] != false }
}

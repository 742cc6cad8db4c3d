internal import ArgumentParser
internal import GRPCCore
internal import ManagerAPI
internal import Spec

/// `get`: what the server has.
struct GetCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "List connections and connection sets.",
        discussion: """
            Without a type, connections; with -o yaml or json both. A named object that is not \
            there is exit code 1. -o yaml prints manifests that can be applied again unchanged; \
            the members of a ConnectionSet are left out there, since their set declares them.

            Examples:
              wsm-apply get
              wsm-apply get connections -l venue=binance,tier!=test
              wsm-apply get connectionset book -o yaml
              wsm-apply get --set prod -o yaml | wsm-apply apply --set prod -f -
            """)

    @Argument(
        help: ArgumentHelp(
            "connections or connectionsets, then names; or TYPE/NAME.", valueName: "type or name"))
    var objects: [String] = []

    @Option(
        name: [.customShort("l"), .customLong("selector")],
        help: "Labels, as in a=b,c!=d,e in (x,y),!f.")
    var selector: String?

    @Option(help: ArgumentHelp("Only the objects of one apply set.", valueName: "name"))
    var set: String?

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        let arguments = try ObjectArguments(objects)
        guard arguments.references.isEmpty else {
            guard selector == nil, set == nil else {
                throw CommandFailure.usage("names go neither with --selector nor with --set")
            }
            return try await get(arguments.references, in: session)
        }
        let query = ObjectQuery(
            kinds: arguments.kind.map { [$0] }
                ?? (output.isDocument ? ObjectKind.all : [.connection]),
            selector: selector ?? "", set: set ?? "", isBrief: !output.isDocument)
        let found = try await ServerConnection.with(session) { server in
            try await query.fetch(from: server)
        }
        let shown = output == .yaml ? withoutMembers(found, in: session) : found
        if shown.isEmpty, output.isForPeople {
            session.note("no \((arguments.kind ?? .connection).word) found")
            return .done
        }
        session.print(ObjectReport(objects: shown), as: output)
        return .done
    }

    private func get(
        _ references: [ObjectReference], in session: Session
    ) async throws -> CommandStatus {
        let (found, missing) = try await ServerConnection.with(session) { server in
            try await ObjectQuery.fetch(references, from: server)
        }
        if !found.isEmpty { session.print(ObjectReport(objects: found), as: output) }
        for reference in missing { session.complain("\(reference.label) is not there") }
        return missing.isEmpty ? .done : .different
    }

    private func withoutMembers(
        _ objects: [Wsm_V1_Object], in session: Session
    ) -> [Wsm_V1_Object] {
        let own = objects.filter { $0.connectionSet.isEmpty }
        let members = objects.count - own.count
        if members > 0 {
            session.note(
                "\(members.counted("member")) of connection sets left out: their set declares them")
        }
        return own
    }
}

extension ObjectKind {
    /// In the order in which manifests are printed.
    static let all: [ObjectKind] = [.connectionSet, .connection]
}

extension OutputFormat {
    /// Needs the whole manifests.
    var isDocument: Bool { self == .json || self == .yaml || self == .ndjson }
}

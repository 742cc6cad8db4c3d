internal import ArgumentParser
internal import ManagerAPI
internal import Spec

/// `version`: of this program and of the server.
struct VersionCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the versions of this program and of the server.",
        discussion: """
            A server that cannot be reached is shown as such, with exit code 3.

            Examples:
              wsm-apply version
              wsm-apply version --client -o json
            """)

    @Flag(help: "Of this program only; asks no server.")
    var client = false

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        var report = VersionReport(address: session.server)
        if !client {
            do {
                report.server = .answered(
                    try await ServerConnection.with(session) { $0.serverInfo })
            } catch let failure as CommandFailure where !session.console.interruption.isTriggered {
                report.server = .failed(failure)
            }
        }
        session.print(report, as: output)
        if case .failed(let failure) = report.server { return failure.status }
        return .done
    }
}

/// What `version` prints.
struct VersionReport: Presentable {
    enum Server {
        case notAsked
        case answered(Wsm_V1_ServerInfo)
        case failed(CommandFailure)
    }

    let address: ServerAddress
    var server = Server.notAsked

    func table(_ canvas: Canvas) -> String {
        let client = "client  \(ClientVersion.text)\n"
        switch server {
        case .notAsked:
            return client
        case .answered(let info):
            var text = "server  \(info.version) at \(address)"
            if !info.instanceID.isEmpty { text += ", instance \(info.instanceID)" }
            if info.startedAt > 0 {
                text += ", up \(TimeText.age(seconds: canvas.now - info.startedAt))"
            }
            text += ", \(info.connections.counted("connection"))"
            return client + TerminalText.singleLine(text) + "\n"
        case .failed(let failure):
            return client + "server  \(TerminalText.singleLine(failure.message))\n"
        }
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", "wsm.virtufin.com/v1")
        object.text("kind", "Version")
        var client = JSONObjectBuilder()
        client.text("version", ClientVersion.text)
        object.value("client", client.object)
        switch server {
        case .notAsked:
            break
        case .answered(let info):
            var server = JSONObjectBuilder()
            server.text("version", info.version)
            server.text("address", address.description)
            server.textIfAny("instanceId", info.instanceID)
            server.number("epoch", info.epoch)
            server.timeIfAny("startedAt", info.startedAt)
            server.number("connections", info.connections)
            object.value("server", server.object)
        case .failed(let failure):
            object.value("server", .null)
            object.text("error", failure.message)
        }
        return object.object
    }

    var names: [String] { [ClientVersion.text] }
}

internal import ManagerAPI
internal import Spec

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
        let client = "client  \(Version.text)\n"
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
        client.text("version", Version.text)
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

    var names: [String] { [Version.text] }
}

internal import FoundationEssentials
internal import ManagerAPI
internal import Spec

/// A plan in a file: what was compiled, how it is to be applied, and what the server said it does.
///
/// It holds the documents as they are sent: secrets are references there, but a literal value stays
/// what it is, so the file is readable by its owner only.
struct SavedPlan: Sendable, Equatable {
    /// Raised when a reader of before could misunderstand the file.
    static let formatVersion = 1
    /// As large as one apply can be, twice: documents stand in it as text.
    static let maxBytes = 160 << 20
    private static let kind = "SavedPlan"

    /// Who made the plan.
    struct Server: Sendable, Equatable {
        var instanceID: String
        var version: String
        var address: String
    }

    /// Set, prune and the like; without who applies it and the guards.
    var header: Wsm_V1_ApplyHeader
    var documents: [Wsm_V1_ManifestDocument]
    /// Of the set when the plan was made.
    var baseRevision: Int64
    /// ``Wsm_V1_ApplySummary/planDigest``.
    var digest: String
    var server: Server
    /// Unix seconds.
    var createdAt: Int64
    var createdBy: String

    /// - Throws: A ``CommandFailure`` where another server made the plan.
    func check(_ connection: ServerConnection) throws {
        let present = connection.serverInfo.instanceID
        guard present != server.instanceID else { return }
        throw CommandFailure(
            .conflict,
            "the plan was made by server \(server.instanceID) at \(server.address), and this is"
                + " \(present) at \(connection.address): plan again there, or name the other with"
                + " --server")
    }

    // MARK: The file

    func write(to path: String) throws {
        let body = encoded
        var digest = ContentDigest()
        digest.add(body.serialized())
        guard case .object(let members) = body else { return }
        let file = JSONValue.object(members + [.init("checksum", .string(digest.finalize()))])
        do {
            try SystemCalls.writePrivately(
                Array(PrettyJSON.text(file).utf8), to: path)
        } catch {
            throw CommandFailure(error.status, "\(path): \(error.message)")
        }
    }

    /// - Throws: A ``CommandFailure`` (exit code 2) for a file that is none, is damaged, or is of
    ///   another version.
    static func read(from path: String) throws -> SavedPlan {
        let bytes: [UInt8]
        do {
            bytes = try SystemCalls.contents(of: path, limit: maxBytes)
        } catch {
            throw CommandFailure(error.status, "\(path): \(error.message)")
        }
        guard bytes.count <= maxBytes, let json = try? JSONValue.parse(bytes),
            json["kind"] == .string(kind), case .object(let members) = json
        else {
            throw CommandFailure(.invalid, "\(path) is no saved plan, or is cut off: plan again")
        }
        guard json["formatVersion"] == .number(String(formatVersion)) else {
            let found = json["formatVersion"].map {
                String(decoding: $0.serialized(), as: UTF8.self)
            }
            throw CommandFailure(
                .invalid,
                "\(path) is of format version \(found ?? "none"), and this program reads"
                    + " \(formatVersion): plan again with this version")
        }
        var digest = ContentDigest()
        digest.add(JSONValue.object(members.filter { $0.key != "checksum" }).serialized())
        guard json["checksum"] == .string(digest.finalize()), let plan = SavedPlan(json) else {
            throw CommandFailure(.invalid, "\(path) is damaged or was edited: plan again")
        }
        return plan
    }
}

extension SavedPlan.Server {
    init(_ info: Wsm_V1_ServerInfo, at address: ServerAddress) {
        self.init(
            instanceID: info.instanceID, version: info.version, address: address.description)
    }
}

// MARK: JSON

extension SavedPlan {
    private var encoded: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", ManifestVersion.v1)
        object.text("kind", Self.kind)
        object.number("formatVersion", Self.formatVersion)
        object.timeIfAny("createdAt", createdAt)
        object.text("createdBy", createdBy)
        var maker = JSONObjectBuilder()
        maker.text("instanceId", server.instanceID)
        maker.text("version", server.version)
        maker.text("address", server.address)
        object.value("server", maker.object)
        object.text("set", header.set)
        object.value("options", options)
        object.number("baseRevision", baseRevision)
        object.text("planDigest", digest)
        object.list(
            "documents",
            documents.map { document in
                var item = JSONObjectBuilder()
                item.text("origin", document.origin)
                item.text("json", String(decoding: document.json, as: UTF8.self))
                return item.object
            })
        return object.object
    }

    private var options: JSONValue {
        var object = JSONObjectBuilder()
        object.bool("prune", header.prune)
        object.bool("allowEmpty", header.allowEmpty)
        object.text("maxPrune", header.maxPrune)
        object.bool("adopt", header.adopt)
        object.text("fieldManager", header.fieldManager)
        object.bool("forceConflicts", header.forceConflicts)
        return object.object
    }

    private init?(_ json: JSONValue) {
        guard let set = json["set"]?.text, let options = json["options"],
            let digest = json["planDigest"]?.text, let server = json["server"],
            case .number(let base)? = json["baseRevision"], let baseRevision = Int64(base),
            case .array(let items)? = json["documents"]
        else { return nil }
        header = Wsm_V1_ApplyHeader()
        header.set = set
        header.prune = options["prune"] == .bool(true)
        header.allowEmpty = options["allowEmpty"] == .bool(true)
        header.maxPrune = options["maxPrune"]?.text ?? ""
        header.adopt = options["adopt"] == .bool(true)
        header.fieldManager = options["fieldManager"]?.text ?? ""
        header.forceConflicts = options["forceConflicts"] == .bool(true)
        self.digest = digest
        self.baseRevision = baseRevision
        self.server = Server(
            instanceID: server["instanceId"]?.text ?? "", version: server["version"]?.text ?? "",
            address: server["address"]?.text ?? "")
        createdAt = json["createdAt"]?.text.flatMap(TimeText.unixSeconds) ?? 0
        createdBy = json["createdBy"]?.text ?? ""
        documents = items.map { item in
            var document = Wsm_V1_ManifestDocument()
            document.origin = item["origin"]?.text ?? ""
            document.json = Data((item["json"]?.text ?? "").utf8)
            return document
        }
    }
}

extension JSONValue {
    /// The text of a string.
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }
}

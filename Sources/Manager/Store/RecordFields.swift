import ManagerCore
import Spec

/// The members of one record, each asked for by name, with the record's key for the error.
struct RecordFields {
    let object: JSONValue
    let key: String

    init(_ bytes: [UInt8], key: String) throws {
        do {
            object = try JSONValue.parse(bytes)
        } catch {
            throw StateStoreError(message: "\(key) is not JSON: \(error)")
        }
        self.key = key
        // What `wsm/meta` says is told by ``RecordCodec/checkMeta(_:)``, with more words.
        guard key != Shards.metaKey else { return }
        let found = try int("v")
        guard found == RecordCodec.version else {
            throw StateStoreError(
                message: "\(key) is of version \(found); this program reads version "
                    + "\(RecordCodec.version)")
        }
    }

    private init(object: JSONValue, key: String) {
        self.object = object
        self.key = key
    }

    private func missing(_ name: String) -> StateStoreError {
        StateStoreError(message: "\(key) lacks \(name), or holds it in another form")
    }

    func value(_ name: String) throws -> JSONValue {
        guard let value = object[name] else { throw missing(name) }
        return value
    }

    func text(_ name: String) throws -> String {
        guard let text = optionalText(name) else { throw missing(name) }
        return text
    }

    func optionalText(_ name: String) -> String? {
        guard case .string(let text) = object[name] else { return nil }
        return text
    }

    func int(_ name: String) throws -> Int {
        guard case .number(let text) = object[name], let value = Int(text) else {
            throw missing(name)
        }
        return value
    }

    /// An int that is not negative.
    func count<Number: FixedWidthInteger>(_ name: String) throws -> Number {
        guard let value = Number(exactly: try int(name)), value >= 0 else { throw missing(name) }
        return value
    }

    func optionalTime(_ name: String) -> WallTime? {
        (try? int(name)).map { WallTime(nanosecondsSinceEpoch: Int64($0)) }
    }

    func isTrue(_ name: String) -> Bool { object[name] == .bool(true) }

    func texts(_ name: String) throws -> [String] {
        guard case .array(let items) = object[name] else { throw missing(name) }
        return try items.map { item in
            guard case .string(let text) = item else { throw missing(name) }
            return text
        }
    }

    func objects(_ name: String) throws -> [RecordFields] {
        guard case .array(let items) = object[name] else { throw missing(name) }
        return items.map { RecordFields(object: $0, key: key) }
    }

    func optional(_ name: String) throws -> RecordFields? {
        guard let value = object[name] else { return nil }
        guard case .object = value else { throw missing(name) }
        return RecordFields(object: value, key: "\(key).\(name)")
    }

    /// None where the member is not there.
    func optionalNumbers(_ name: String) throws -> [Int] {
        guard let value = object[name] else { return [] }
        guard case .array(let items) = value else { throw missing(name) }
        return try items.map { item in
            guard case .number(let text) = item, let number = Int(text) else { throw missing(name) }
            return number
        }
    }

    func optionalObjects(_ name: String) throws -> [RecordFields]? {
        object[name] == nil ? nil : try objects(name)
    }

    func times(_ name: String) throws -> [String: WallTime] {
        guard let fields = try optional(name), case .object(let members) = fields.object else {
            return [:]
        }
        var times: [String: WallTime] = [:]
        for member in members {
            times[member.key] = WallTime(
                nanosecondsSinceEpoch: Int64(try fields.int(member.key)))
        }
        return times
    }

    /// Of one owner, whose members these are.
    func owner() throws -> FieldOwner {
        FieldOwner(
            manager: try text("manager"),
            since: WallTime(nanosecondsSinceEpoch: Int64(try int("since"))))
    }

    func optionalManagers(_ name: String) throws -> FieldManagers? {
        guard let items = try optionalObjects(name) else { return nil }
        if items.count == 1, items[0].object["fields"] == nil {
            return FieldManagers(sole: try items[0].owner())
        }
        return FieldManagers(
            shares: try items.map { item in
                FieldManagers.Share(owner: try item.owner(), fields: Set(try item.texts("fields")))
            })
    }

    func map(_ name: String) throws -> [String: String] {
        guard let fields = try optional(name), case .object(let members) = fields.object else {
            return [:]
        }
        var map: [String: String] = [:]
        for member in members {
            guard case .string(let text) = member.value else { throw missing(name) }
            map[member.key] = text
        }
        return map
    }

    func keeper(_ name: String) throws -> Keeper {
        let text = try text(name)
        if text == "grpc" { return .grpc }
        guard text.hasPrefix("set/") else { throw missing(name) }
        return .applySet(String(text.dropFirst(4)))
    }
}

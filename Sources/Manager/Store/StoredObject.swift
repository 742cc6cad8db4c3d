import ManagerCore

/// A record of any kind.
enum StoredObject: Sendable, Hashable {
    case connection(ConnectionRecord)
    case connectionSet(ConnectionSetRecord)
    case applySet(ApplySetRecord)

    /// - Parameter content: what ``content`` gave.
    /// - Throws: ``StateStoreError`` naming the key.
    init(_ key: ObjectKey, content: [UInt8]) throws {
        switch key {
        case .connection:
            self = .connection(try RecordCodec.decodeConnection(content, key: key.storeKey))
        case .connectionSet:
            self = .connectionSet(try RecordCodec.decodeConnectionSet(content, key: key.storeKey))
        case .applySet:
            self = .applySet(try RecordCodec.decodeApplySet(content, key: key.storeKey))
        }
    }

    /// What the state store keeps of it.
    var content: [UInt8] {
        switch self {
        case .connection(let record): RecordCodec.encode(record)
        case .connectionSet(let record): RecordCodec.encode(record)
        case .applySet(let record): RecordCodec.encode(record)
        }
    }

    var uid: String {
        switch self {
        case .connection(let record): record.desired.uid.rawValue
        case .connectionSet(let record): record.uid
        case .applySet(let record): record.uid
        }
    }

    /// Made by a Connect that has not been answered.
    var isProvisional: Bool {
        if case .connection(let record) = self { record.desired.isProvisional } else { false }
    }

    /// The same, whoever wrote it.
    func isSame(as other: StoredObject) -> Bool {
        withoutEpoch == other.withoutEpoch
    }

    /// The same but for what was observed: nothing that anybody acts on has changed.
    func isSameDesired(as other: StoredObject) -> Bool {
        guard case .connection(let mine) = self, case .connection(let its) = other else {
            return isSame(as: other)
        }
        return mine.desired == its.desired
    }

    private var withoutEpoch: StoredObject {
        switch self {
        case .connection(var record):
            record.epoch = 0
            return .connection(record)
        case .connectionSet(var record):
            record.epoch = 0
            return .connectionSet(record)
        case .applySet(var record):
            record.epoch = 0
            return .applySet(record)
        }
    }
}

/// Where a name's records live: the shard, and the keys of the state store.
package enum Shards {
    /// Fixed for the life of a store; written to `wsm/meta` by the first instance.
    package static let count = 256
    /// What `wsm/meta` calls ``shard(of:)``.
    package static let hashName = "fnv1a64"
    /// Names on one index page: a page stays well below the smallest value limit of the stores.
    package static let namesPerPage = 500

    /// Pages of one shard: fifty million names in all, far above what one instance can hold, so a
    /// higher number is a damaged header.
    package static let maxPages = 400

    /// FNV-1a, 64 bits, over the name's UTF-8, modulo the number of shards.
    package static func shard(of name: String, among count: Int = Shards.count) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x0000_0100_0000_01b3
        }
        return Int(hash % UInt64(count))
    }

    package static let metaKey = "wsm/meta"
    package static func headerKey(_ shard: Int) -> String { "wsm/shard/\(shard)" }
    package static func pageKey(_ shard: Int, _ page: Int) -> String {
        "wsm/shard/\(shard)/page/\(page)"
    }
}

/// One stored object, as its key and its entry on an index page name it.
package enum ObjectKey: Sendable, Hashable, CustomStringConvertible {
    case connection(String)
    case connectionSet(String)
    case applySet(String)

    package var name: String {
        switch self {
        case .connection(let name), .connectionSet(let name), .applySet(let name): name
        }
    }

    /// The key of its record.
    package var storeKey: String {
        switch self {
        case .connection(let name): "wsm/conn/\(name)"
        case .connectionSet(let name): "wsm/connset/\(name)"
        case .applySet(let name): "wsm/set/\(name)"
        }
    }

    /// A connection stands on a page by its bare name; the others with a word and a slash, which
    /// no name can hold.
    package var indexEntry: String {
        switch self {
        case .connection(let name): name
        case .connectionSet(let name): "connset/\(name)"
        case .applySet(let name): "set/\(name)"
        }
    }

    package init(indexEntry: String) {
        if indexEntry.hasPrefix("connset/") {
            self = .connectionSet(String(indexEntry.dropFirst("connset/".count)))
        } else if indexEntry.hasPrefix("set/") {
            self = .applySet(String(indexEntry.dropFirst("set/".count)))
        } else {
            self = .connection(indexEntry)
        }
    }

    package var shard: Int { Shards.shard(of: name) }

    /// For a sentence.
    package var description: String {
        switch self {
        case .connection(let name): "connection \(name)"
        case .connectionSet(let name): "ConnectionSet \(name)"
        case .applySet(let name): "set \(name)"
        }
    }
}

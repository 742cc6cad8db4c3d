import Logging
import Manager
import ManagerCore
import Spec
import TestKit

/// A logger that says nothing.
let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

let someTime = WallTime(nanosecondsSinceEpoch: 1_767_225_600_000_000_000)

extension TwoTierStore {
    /// Opens over a store of the tests.
    static func opened(
        _ store: any StateStore, now: WallTime = someTime,
        onChange: @escaping @Sendable ([ObjectKey]) -> Void = { _ in }
    ) async throws -> TwoTierStore {
        try await open(store, now: now, logger: silent, onChange: onChange)
    }

    /// Makes or changes one connection.
    func put(
        _ name: String, uid: String? = nil, topic: String? = nil, isProvisional: Bool = false
    ) async throws {
        try await transact { draft in
            var desired = DesiredConnection.sample(name, uid: uid) { $0.topic = topic }
            desired.isProvisional = isProvisional
            draft.put(ConnectionRecord(epoch: 0, desired: desired))
        }
    }

    func remove(_ names: String...) async throws {
        try await transact { draft in
            for name in names { draft.removeConnection(name) }
        }
    }

    var names: [String] { desiredNames().sorted() }
}

/// Names that live in the shard of the first of them.
func namesOfOneShard(_ count: Int, prefix: String = "n") -> [String] {
    let shard = Shards.shard(of: "\(prefix)-0")
    var names: [String] = []
    var number = 0
    while names.count < count {
        let name = "\(prefix)-\(number)"
        if Shards.shard(of: name) == shard { names.append(name) }
        number += 1
    }
    return names
}

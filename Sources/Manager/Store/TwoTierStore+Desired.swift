package import ManagerCore
import Reconciler
import Spec

// MARK: Reads. They never leave the process.

extension TwoTierStore: DesiredState {
    package func desired(_ name: String) -> DesiredConnection? {
        memory.read { $0.connections[name]?.record.desired }
    }

    package func desiredNames() -> [String] {
        memory.read { Array($0.connections.keys) }
    }

    package func record(_ name: String) -> ConnectionRecord? {
        memory.read { $0.connections[name]?.record }
    }

    package func connectionSet(_ name: String) -> ConnectionSetRecord? {
        memory.read { $0.connectionSets[name]?.record }
    }

    package func connectionSetNames() -> [String] {
        memory.read { Array($0.connectionSets.keys) }
    }

    package func applySetNames() -> [String] {
        memory.read { Array($0.applySets.keys) }
    }

    package func applySet(_ name: String) -> ApplySetRecord? {
        memory.read { $0.applySets[name]?.record }
    }
}

// MARK: What the loop writes

extension TwoTierStore {
    package func spendDial(_ name: String) async -> DesiredConnection? {
        try? await transact { draft in
            guard var record = draft.connection(name) else { return nil }
            record.desired.spentDialRevision = record.desired.dialRevision
            draft.put(record)
            return record.desired
        }
    }

    package func confirm(_ name: String) async -> Bool {
        (try? await transact { draft in
            guard var record = draft.connection(name), record.desired.isProvisional else {
                return
            }
            record.desired.isProvisional = false
            draft.put(record)
        }) != nil
    }

    package func discard(_ name: String) async -> Bool {
        (try? await transact { draft in
            guard let record = draft.connection(name), record.desired.isProvisional else {
                return
            }
            draft.removeConnection(name)
        }) != nil
    }
}

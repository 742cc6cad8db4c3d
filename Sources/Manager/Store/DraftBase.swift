import ManagerCore

/// What a draft stands on: every record as it is before the change.
protocol DraftBase: Sendable {
    func connection(_ name: String) -> ConnectionRecord?
    func connectionSet(_ name: String) -> ConnectionSetRecord?
    func applySet(_ name: String) -> ApplySetRecord?
    /// What an earlier run of the same change drew for an object it made.
    func uid(ofNew key: ObjectKey) -> ConnectionUID?
    /// Whether the digest of a revision is part of the keys of its pages: of two instances that
    /// write pages of the same number at once only one gets its record in, and must find its own.
    var keepsPagesUnderDigest: Bool { get }
}

/// Of a process that is alone on its store: memory is all there is.
extension MemoryTier: DraftBase {
    func connection(_ name: String) -> ConnectionRecord? {
        read { $0.connections[name]?.record }
    }

    func connectionSet(_ name: String) -> ConnectionSetRecord? {
        read { $0.connectionSets[name]?.record }
    }

    func applySet(_ name: String) -> ApplySetRecord? {
        read { $0.applySets[name]?.record }
    }

    func uid(ofNew key: ObjectKey) -> ConnectionUID? { nil }
    var keepsPagesUnderDigest: Bool { false }
}

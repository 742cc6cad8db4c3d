import ManagerCore

/// Puts writes that are to be made in order into calls that make many at once.
///
/// A call of a sidecar makes its writes at the same time and in no order. So a stage, whose writes
/// may share calls, ends where the kind of key changes (headers go before pages, pages before
/// records) and where a key comes again. Within one kind the order of writes has no meaning: each
/// kind is complete by itself, and a commit that was cut short is repaired by reading.
struct StateGroups: Sendable {
    /// Writes of one call: enough to spread a round trip over, few enough for a second's deadline.
    static let writesPerCall = 100

    /// Indices into the writes: stages, made one after the other, of calls that may overlap.
    private(set) var stages: [[[Int]]] = []

    /// - Parameter maxBytes: of keys and values in one call; a larger write goes alone.
    init(_ writes: [StateWrite], maxBytes: Int) {
        var stage: [[Int]] = []
        var call: [Int] = []
        var bytes = 0
        var keys: Set<String> = []
        var kind: Kind?
        func endCall() {
            if !call.isEmpty { stage.append(call) }
            call = []
            bytes = 0
        }
        for (index, write) in writes.enumerated() {
            let size = write.key.utf8.count + (write.value?.count ?? 0) + Self.overheadPerWrite
            let ownKind = Kind(write.key)
            if kind != ownKind || keys.contains(write.key) {
                endCall()
                if !stage.isEmpty { stages.append(stage) }
                stage = []
                keys = []
                kind = ownKind
            }
            keys.insert(write.key)
            if call.count == Self.writesPerCall || bytes + size > maxBytes { endCall() }
            call.append(index)
            bytes += size
        }
        endCall()
        if !stage.isEmpty { stages.append(stage) }
    }

    /// Tag, stamp, options and the fields around them, in bytes.
    static let overheadPerWrite = 256

    private enum Kind: Hashable {
        case header, page, record, other

        init(_ key: String) {
            let parts = key.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
            self =
                switch (parts.first == "wsm", parts.count > 1 ? parts[1] : "") {
                case (true, "shard"): parts.count > 3 ? .page : .header
                case (true, "conn"), (true, "connset"), (true, "set"):
                    parts.count > 3 ? .page : .record
                default: .other
                }
        }
    }
}

import ManagerCore

/// One state store behind Dapr, with the conflict rules of Redis or of PostgreSQL.
///
/// Linearisable for each key. Everything that makes it nasty, late landings, lost answers and
/// errors for items, is done by the network in front of it.
final class SimStore {
    enum Mode: Sendable, Hashable {
        /// Tags are a counter of each key, which restarts when the key is deleted; compare-and-set
        /// on an absent key succeeds.
        case redis
        /// Tags are unique for ever; compare-and-set on an absent key fails.
        case postgreSQL
    }

    private struct Cell {
        var value: ClusterValue
        var version: Int
    }

    let mode: Mode
    private var cells: [ClusterKey: Cell] = [:]
    private var lastVersion = 0
    /// Snapshots for going back, newest last.
    private var snapshots: [(at: SimTime, cells: [ClusterKey: Cell])] = []

    init(mode: Mode) {
        self.mode = mode
    }

    func read(_ key: ClusterKey) -> ReadItem {
        guard let cell = cells[key] else { return .absent }
        return .found(StoredValue(value: cell.value, tag: tag(cell)))
    }

    func value(_ key: ClusterKey) -> ClusterValue? { cells[key]?.value }

    func tag(of key: ClusterKey) -> StoreTag? { cells[key].map { tag($0) } }

    /// Create-if-absent without a tag, else compare-and-set.
    /// - Returns: Whether it was applied.
    func write(_ key: ClusterKey, replacing expected: StoreTag?, with value: ClusterValue) -> Bool {
        guard mayWrite(key, expected) else { return false }
        lastVersion += 1
        let version = mode == .redis ? (cells[key]?.version ?? 0) + 1 : lastVersion
        cells[key] = Cell(value: value, version: version)
        return true
    }

    /// Whether a write would be applied now.
    func mayWrite(_ key: ClusterKey, _ expected: StoreTag?) -> Bool {
        guard let cell = cells[key] else { return expected == nil || mode == .redis }
        return expected == tag(cell)
    }

    func delete(_ key: ClusterKey) {
        cells[key] = nil
    }

    func empty() {
        cells.removeAll()
    }

    func snapshot(at time: SimTime) {
        snapshots.append((time, cells))
        if snapshots.count > 10 { snapshots.removeFirst() }
    }

    /// Forgets what was written after `time`, as a replica that was promoted would.
    func goBack(to time: SimTime) {
        guard let snapshot = snapshots.last(where: { $0.at <= time }) else { return }
        cells = snapshot.cells
    }

    private func tag(_ cell: Cell) -> StoreTag { StoreTag(String(cell.version)) }
}

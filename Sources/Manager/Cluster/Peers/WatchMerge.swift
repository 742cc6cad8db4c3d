import ManagerAPI
import ManagerCore

/// Puts the watches of all members together: an object is deleted when it is gone, not when its
/// owner changes. Pure.
///
/// What a member no longer shows is *unplaced* until another member shows it or the store says that
/// it is gone.
struct WatchMerge: Sendable {
    private struct Place: Sendable {
        /// The member that showed it last; empty: it was shown from the store.
        var member: String
        var isUnplaced = false
        /// Shown from the store since it became unplaced.
        var isShownOwnerless = false
    }

    private var places: [String: Place] = [:]
    /// Members whose objects have not all been told for the first time.
    private var unsynced: Set<String>
    private(set) var isSynced = false

    /// - Parameter members: those whose objects are waited for before the watch is in step.
    init(members: some Sequence<String>) {
        unsynced = Set(members)
    }

    /// What of a member's message goes to the caller. Deletions do not: see ``unplaced``.
    mutating func received(
        _ changes: [Wsm_V1_WatchChange], from member: String
    ) -> [Wsm_V1_WatchChange] {
        changes.compactMap { change in
            switch change.action {
            case .present, .changed:
                places[change.object.name] = Place(member: member)
                var told = change
                told.action = isSynced ? .changed : .present
                return told
            case .deleted:
                leave(change.object.name, member)
                return nil
            case .synced:
                unsynced.remove(member)
                return nil
            case .unspecified, .UNRECOGNIZED:
                return nil
            }
        }
    }

    /// A member shows everything anew, or nothing any more.
    mutating func opened(_ member: String) {
        for (name, place) in places where place.member == member { leave(name, member) }
    }

    mutating func ended(_ member: String) {
        opened(member)
        unsynced.remove(member)
    }

    private mutating func leave(_ name: String, _ member: String) {
        guard places[name]?.member == member else { return }
        places[name]?.isUnplaced = true
    }

    /// Names that no member shows: the store has to say what became of them.
    var unplaced: [String] { places.filter { $0.value.isUnplaced }.map(\.key).sorted() }

    /// Everybody has told what they have.
    var canSync: Bool { !isSynced && unsynced.isEmpty }

    /// - Returns: the mark that says so.
    mutating func sync() -> Wsm_V1_WatchChange {
        isSynced = true
        unsynced = []
        var change = Wsm_V1_WatchChange()
        change.action = .synced
        return change
    }

    /// The store shows an object that no member shows.
    ///
    /// - Returns: what to tell; `nil` where it was told already.
    mutating func stored(_ object: Wsm_V1_Object) -> Wsm_V1_WatchChange? {
        let present = places[object.name]
        if let present, !present.isUnplaced || present.isShownOwnerless { return nil }
        places[object.name] = Place(
            member: present?.member ?? "", isUnplaced: true, isShownOwnerless: true)
        var change = Wsm_V1_WatchChange()
        change.action = isSynced ? .changed : .present
        change.object = object
        return change
    }

    /// The store has no such object, or it is none that is watched.
    mutating func gone(_ name: String, kind: String) -> Wsm_V1_WatchChange? {
        guard places[name]?.isUnplaced == true else { return nil }
        places[name] = nil
        var change = Wsm_V1_WatchChange()
        change.action = .deleted
        change.object.kind = kind
        change.object.name = name
        return change
    }
}

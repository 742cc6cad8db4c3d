package import ManagerCore

/// The cluster as one of its members sees it at one moment: for people and for the merge of lists.
///
/// Made from what ``ClusterMember`` shows, and decides nothing.
package struct ClusterView: Sendable, Hashable {
    package enum MemberState: String, Sendable, Hashable, CaseIterable {
        case alive, draining, away, dead
    }

    package struct Member: Sendable, Hashable {
        /// The node of its slot: what names the instance over its restarts.
        package var instance: String
        package var state: MemberState
        package var address: String
        package var identity: Identity
        package var weight: Int
        package var isCordoned: Bool
        package var isSelf: Bool
        /// Shards whose headers name it.
        package var shards: Int
        /// For how long it has been in this state, as seen from here.
        package var standsFor: Duration
        /// No heart beat for longer than is usual; the sentence says how long and what comes next.
        package var suspicion: String?
    }

    package enum ShardState: String, Sendable, Hashable, CaseIterable {
        /// This instance has it, with its records.
        case serving
        /// This instance has the title and reads the records.
        case loading
        /// This instance gives it away.
        case moving
        /// Another instance has it; what it does with it only that one knows.
        case owned
        /// The header names one that is gone.
        case orphaned
        /// The header names nobody, or was never written.
        case unowned
    }

    package struct Shard: Sendable, Hashable {
        package var number: Int
        package var state: ShardState
        /// The instance that the header names; `nil` where nobody is named, or the name is not known.
        package var owner: String?
        package var epoch: UInt64
    }

    package struct Move: Sendable, Hashable {
        package var shard: Int
        /// `nil`: released, for whoever takes it.
        package var to: String?
        package var step: Outgoing.Step
        package var isDrain: Bool
    }

    /// Drawn when the store was first used; `nil` before it was read.
    package var clusterID: Incarnation?
    /// The instance that looks.
    package var instance: String
    package var isMember: Bool
    package var isDraining: Bool
    /// It may not act now, and since how long.
    package var fencedFor: Duration?
    /// Living, leaving and away ones; dead ones for as long as a shard still names them. By name.
    package var members: [Member]
    package var shards: [Shard]
    /// Of this instance only.
    package var moves: [Move]
    package var timing: ClusterTiming

    /// Shards that this instance serves with their records.
    package var served: Set<Int> {
        Set(shards.lazy.filter { $0.state == .serving || $0.state == .moving }.map(\.number))
    }
}

extension ClusterView {
    package init(member: ClusterMember, now: Moment) {
        clusterID = member.clusterID
        instance = member.configuration.node
        isMember = if case .member = member.standing { true } else { false }
        isDraining = member.isDraining
        fencedFor = member.lease.fencedSince.map { now - $0 }
        timing = member.configuration.timing
        let names = Self.names(member.roster)
        shards = member.seats.indices.map { Self.shard($0, of: member, names) }
        moves = member.seats.indices.compactMap { Self.move($0, of: member) }
        var held: [Identity: Int] = [:]
        for seat in member.seats {
            guard let owner = seat.owned?.title.identity ?? seat.header?.owner else { continue }
            held[owner, default: 0] += 1
        }
        members = member.roster.sights.compactMap {
            Self.member($0, held: held, of: member, now: now)
        }.sorted { ($0.instance, $0.identity.slot) < ($1.instance, $1.identity.slot) }
    }

    /// Who holds or last held each identity that a slot shows.
    private static func names(_ roster: Roster) -> [Identity: String] {
        var names: [Identity: String] = [:]
        for slot in roster.sights.compactMap(\.slot) { names[slot.identity] = slot.node }
        return names
    }

    private static func shard(
        _ number: Int, of member: ClusterMember, _ names: [Identity: String]
    ) -> Shard {
        let seat = member.seats[number]
        if let owned = seat.owned {
            let state: ShardState =
                owned.outgoing != nil ? .moving : owned.records.isReady ? .serving : .loading
            return Shard(
                number: number, state: state, owner: member.configuration.node,
                epoch: owned.title.shardEpoch)
        }
        guard let header = seat.header, let owner = header.owner else {
            return Shard(
                number: number, state: .unowned, owner: nil, epoch: seat.header?.shardEpoch ?? 0)
        }
        let isHeld = member.roster.holder(owner) != nil
        return Shard(
            number: number, state: isHeld ? .owned : .orphaned,
            // A slot whose holder changed does not name the former one; the header does.
            owner: names[owner] ?? header.node, epoch: header.shardEpoch)
    }

    private static func move(_ number: Int, of member: ClusterMember) -> Move? {
        guard let outgoing = member.seats[number].owned?.outgoing else { return nil }
        return Move(
            shard: number, to: outgoing.heir?.node, step: outgoing.step,
            isDrain: outgoing.isDrain)
    }

    private static func member(
        _ sight: Roster.Sight, held: [Identity: Int], of member: ClusterMember, now: Moment
    ) -> Member? {
        guard let slot = sight.slot, let state = MemberState(slot.state) else { return nil }
        var shards = held[slot.identity] ?? 0
        if state == .dead || state == .away {
            // Leaving a slot raises its epoch; the shards name the identity before that.
            let former = slot.identity
            shards = held.reduce(0) { sum, entry in
                let isFormer =
                    entry.key.slot == former.slot && entry.key.slotEpoch < former.slotEpoch
                    && entry.key.incarnation == former.incarnation
                return isFormer ? sum + entry.value : sum
            }
            if state == .dead, shards == 0 { return nil }
        }
        let isSelf = slot.identity == member.identity
        return Member(
            instance: slot.node, state: state, address: slot.address, identity: slot.identity,
            weight: slot.weight, isCordoned: slot.isCordoned, isSelf: isSelf, shards: shards,
            standsFor: max(.zero, now - sight.standsSince),
            suspicion: isSelf ? nil : suspicion(sight, slot, member.configuration.timing, now: now))
    }

    /// A heart that beats is seen at the latest after a beat, a write with its read, and a look.
    private static func suspicion(
        _ sight: Roster.Sight, _ slot: RosterSlot, _ timing: ClusterTiming, now: Moment
    ) -> String? {
        let silent = now - sight.unchangedSince
        let usual = timing.heartbeat + timing.storeDeadline * 2 + timing.poll
        guard slot.isHeld, silent > usual else { return nil }
        let patience = max(timing.suspicion, slot.hold * 5 / 4)
        return "no heartbeat was seen for \(seconds(silent)); it is taken over after "
            + "\(seconds(patience)) without one"
    }

    private static func seconds(_ duration: Duration) -> String {
        let tenths = duration.saturatedNanoseconds / 100_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}

extension ClusterView.MemberState {
    fileprivate init?(_ state: RosterSlot.State) {
        switch state {
        case .free: return nil
        case .alive: self = .alive
        case .draining: self = .draining
        case .away: self = .away
        case .dead: self = .dead
        }
    }
}

extension Outgoing.Step {
    /// As it is shown.
    package var word: String {
        switch self {
        case .asking: "asking"
        case .shadowing: "shadowing"
        case .draining: "draining"
        case .acknowledging: "acknowledging"
        case .checking: "checking"
        case .cutting: "cutting"
        case .bumping: "bumping"
        }
    }
}

/// What an operator may ask of this instance's part in the cluster. Any thread; returns at once.
package protocol ClusterControl: Sendable {
    var view: ClusterView { get }
    /// The lease holds at this very moment, which a view of some time ago cannot say.
    var isLeaseValid: Bool { get }
    /// Hand over everything and end.
    ///
    /// - Parameter isRestart: it comes back at once; its shards are kept for it for a while.
    func drain(isRestart: Bool)
    /// Where it is not too late.
    func callOffDrain()
    /// Take no shard more, or take some again.
    func cordon(_ isWanted: Bool)
}

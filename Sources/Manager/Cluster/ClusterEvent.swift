import ManagerCore

/// What the ownership protocol does that an operator may want to know: log lines and a metric.
package enum ClusterEvent: String, MetricLabels {
    case joined, left, deposed, noFreeSlot = "no_free_slot"
    case fenced, unfenced, woke
    case storeWentBack = "store_went_back"
    case buried
    case claimedUnowned = "claimed_unowned"
    case tookOver = "took_over"
    case reclaimed
    case handedOverHere = "handed_over_here"
    case handOverBegan = "hand_over_began"
    case handOverAbandoned = "hand_over_abandoned"
    case sealed

    package static let names = ["event"]
    package var values: [String] { [rawValue] }

    /// `nil` for what another event tells already.
    init?(_ counted: ClusterAction.Counted) {
        switch counted {
        case .fenced: self = .fenced
        case .unfenced: self = .unfenced
        case .woke: self = .woke
        case .deposed: self = .deposed
        case .storeWentBack: self = .storeWentBack
        case .noFreeSlot: self = .noFreeSlot
        case .joined: self = .joined
        case .buried: self = .buried
        case .adopted(_, let how):
            switch how {
            case .first, .release: self = .claimedUnowned
            case .takeover: self = .tookOver
            case .reclaim: self = .reclaimed
            case .handover: self = .handedOverHere
            }
        case .claimed: return nil
        case .handOverBegan: self = .handOverBegan
        case .handOverAbandoned: self = .handOverAbandoned
        case .sealed: self = .sealed
        }
    }

    /// What is wrong, or might be, in a sentence for the log; `nil` for what is as it should be.
    var warning: String? {
        switch self {
        case .fenced:
            "the lease ran out: nothing is published, dialled or sent until the state store takes a "
                + "heartbeat again; sockets stay open for a while"
        case .woke:
            "the process stood still, or the clocks disagree: the lease is proven again before "
                + "anything goes out"
        case .deposed:
            "others have declared this instance dead: it drops its shards and joins anew"
        case .noFreeSlot: "all places of the cluster are taken: this instance serves nothing"
        case .storeWentBack:
            "the state store has forgotten what it had acknowledged: was it restored, or did a "
                + "replica take over? Changes of that time are gone"
        default: nil
        }
    }
}

extension ClusterAction.Counted {
    /// As the log tells it.
    var words: String {
        switch self {
        case .fenced: "the lease ran out"
        case .unfenced: "the lease is proven again"
        case .woke: "the process stood still"
        case .deposed: "declared dead by others"
        case .storeWentBack: "the state store went back"
        case .noFreeSlot: "no place is free"
        case .joined(let identity): "joined at \(identity.words)"
        case .buried(let identity): "the holder of \(identity.words) is declared dead"
        case .claimed(let shard, let how): "shard \(shard) is claimed (\(how.word))"
        case .adopted(let shard, let how): "shard \(shard) is served here (\(how.word))"
        case .handOverBegan(let shard): "shard \(shard): a hand-over begins"
        case .handOverAbandoned(let shard): "shard \(shard): the hand-over was given up"
        case .sealed(let shard): "shard \(shard): every record is sealed"
        }
    }
}

extension Identity {
    fileprivate var words: String { "place \(slot), epoch \(slotEpoch)" }
}

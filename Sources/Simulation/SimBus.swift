import ManagerCore

/// The broker and a consumer that checks: everything accepted, in real time.
final class SimBus {
    struct Event {
        var name: String
        var shard: Int
        var uid: UInt64
        var identity: Identity
        var epoch: UInt64
        var sequence: UInt64
        var content: UInt64
    }

    private struct ID: Hashable {
        var uid: UInt64
        var epoch: UInt64
        var sequence: UInt64
    }

    private struct Life: Hashable {
        var shard: Int
        var epoch: UInt64
    }

    private var contents: [ID: UInt64] = [:]
    private var publishers: [Life: Identity] = [:]
    private var highest: [Int: UInt64] = [:]
    /// By connection, every content in order of acceptance, without repeats of an id.
    private(set) var accepted: [String: [UInt64]] = [:]
    private(set) var count = 0
    /// Calls that a pause made late, as the protocol allows.
    private(set) var lateCount = 0

    /// - Parameter isExcused: A pause lies between the check and this acceptance.
    func accept(_ event: Event, isExcused: Bool, world: World) {
        count += 1
        let id = ID(uid: event.uid, epoch: event.epoch, sequence: event.sequence)
        if let former = contents[id] {
            if former != event.content {
                world.broken(
                    2,
                    "\(event.name) e\(event.epoch) #\(event.sequence) was published with two "
                        + "contents: \(former) and \(event.content)")
            }
        } else {
            contents[id] = event.content
            accepted[event.name, default: []].append(event.content)
        }
        let life = Life(shard: event.shard, epoch: event.epoch)
        if let former = publishers[life], former != event.identity {
            world.broken(
                2,
                "shard \(event.shard) e\(event.epoch) was served by \(former) and "
                    + "\(event.identity)")
        }
        publishers[life] = event.identity
        let top = highest[event.shard] ?? 0
        if event.epoch < top {
            if isExcused || !world.checker.isSinglePublisherExpected {
                lateCount += 1
            } else {
                world.broken(
                    3,
                    "\(event.name) of shard \(event.shard): e\(event.epoch) #\(event.sequence) "
                        + "was accepted after e\(top)")
            }
        }
        highest[event.shard] = max(top, event.epoch)
    }
}

import DequeModule
import ManagerCore
import Synchronization

/// What a connection knows of its spilled messages. Confined to the connection's event loop, but for
/// ``files``, which threads of the ``SpillDirectory`` use one after the other.
final class ConnectionSpill {
    /// After the disk did not take something.
    static let retryDelay: Duration = .seconds(1)

    let directory: SpillDirectory
    let files: SpillAccess
    var queue: SpillQueue
    /// What an earlier life has left is being counted; everything new waits behind it.
    var isOpening: Bool
    var retryTimer = LoopTimer()
    /// Why the disk does not take messages.
    var failure: String?
    /// Messages read back that the bus does not have yet.
    private var replayed: Deque<Replayed> = []

    private struct Replayed {
        /// Of the queue, once it had them: when so many have left it, all before `place` is done.
        var accepted: UInt64
        var messages: Int
        var place: SpillPosition
    }

    init(directory: SpillDirectory, files: SpillAccess, limit: Int, opening: Bool) {
        self.directory = directory
        self.files = files
        isOpening = opening
        queue = SpillQueue(limit: limit, stored: MessageAmount())
    }

    /// New messages have to go behind what is here.
    var isActive: Bool { isOpening || queue.isActive }

    var hasReplayed: Bool { !replayed.isEmpty }

    func readBack(_ messages: Int, before place: SpillPosition, accepted: UInt64) {
        replayed.append(Replayed(accepted: accepted, messages: messages, place: place))
    }

    /// How many of those that were read back are still in the queue.
    func replayedMessages(settled: UInt64) -> Int {
        replayed.reduce(0) { sum, part in
            let left = part.accepted > settled ? Int(clamping: part.accepted - settled) : 0
            return sum + min(part.messages, left)
        }
    }

    /// The last place that is done once so many messages have left the queue.
    func doneBy(_ settled: UInt64) -> SpillPosition? {
        var place: SpillPosition?
        while let first = replayed.first, first.accepted <= settled {
            place = first.place
            replayed.removeFirst()
        }
        return place
    }
}

/// The files of one connection, for one thread at a time.
final class SpillAccess: Sendable {
    private let files: Mutex<SpillFiles>

    init(directory: String) {
        files = Mutex(SpillFiles(directory: directory))
    }

    func with<Result: Sendable>(_ body: (SpillFiles) throws -> Result) rethrows -> Result {
        try files.withLock { try body($0) }
    }
}

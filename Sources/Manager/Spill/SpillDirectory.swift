import ManagerCore
import NIOPosix

/// Where the connections of a server spill to: a folder for each, made when it is needed.
package struct SpillDirectory: Sendable {
    /// Of the process: more operations of the disk at one time would only queue there.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        return threads
    }()

    package let path: String
    /// Folders that were there at the start.
    let leftovers: Set<ConnectionUID>

    package init(path: String) {
        self.path = path
        leftovers = Set(FileCalls.names(in: path).compactMap(ConnectionUID.init(rawValue:)))
    }

    func files(of uid: ConnectionUID) -> SpillAccess {
        SpillAccess(directory: path + "/" + uid.rawValue)
    }

    /// Whether a life before this one may have left messages of a connection.
    func holdsLeftovers(of uid: ConnectionUID) -> Bool {
        leftovers.contains(uid)
    }

    /// Runs `body` where it may block.
    func run(_ body: @escaping @Sendable () -> Void) {
        Self.threads.submit { _ in body() }
    }
}

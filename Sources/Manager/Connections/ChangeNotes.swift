import NIOCore
import Synchronization

/// Names of connections that changed, told of together.
///
/// In one turn of an event loop many connections change, most of them more than once; whoever is told
/// wakes a thread for it. So what a turn brings is told of at its end.
final class ChangeNotes: Sendable {
    /// By event loop, so that none waits for the turn of another.
    private let names = Mutex<[ObjectIdentifier: [String]]>([:])
    private let tell: @Sendable (_ names: [String]) -> Void

    init(_ tell: @escaping @Sendable (_ names: [String]) -> Void) {
        self.tell = tell
    }

    /// Tells of the name at the end of the loop's turn, or before.
    func note(_ name: String, on loop: any EventLoop) {
        let id = ObjectIdentifier(loop)
        let isFirst = names.withLock { names in
            names[id, default: []].append(name)
            return names[id]?.count == 1
        }
        if isFirst { loop.execute { self.tellAll(id) } }
    }

    private func tellAll(_ id: ObjectIdentifier) {
        tell(names.withLock { $0.removeValue(forKey: id) } ?? [])
    }
}

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
            Self.add(name, to: &names[id, default: []])
        }
        if isFirst { loop.execute { self.tellAll(id) } }
    }

    /// - Returns: whether it is the first.
    private static func add(_ name: String, to names: inout [String]) -> Bool {
        names.append(name)
        return names.count == 1
    }

    private func tellAll(_ id: ObjectIdentifier) {
        tell(names.withLock { $0.removeValue(forKey: id) } ?? [])
    }
}

import ManagerCore

/// The far end of one connection: sends frames to every socket that is open.
final class Remote {
    enum Kind {
        /// The same numbered frames to all sockets.
        case shared
        /// Numbers the frames of each socket anew.
        case perSocket
        /// The same frame again and again.
        case repeated
        /// As `shared`, but one session at a time: a new one kicks the old.
        case single
    }

    final class Session {
        let number: Int
        weak var link: Link?
        weak var process: Process?
        var sent: UInt64 = 0
        var lastDelivery: SimTime = 0
        var isOpen = true

        init(number: Int, link: Link, process: Process) {
            self.number = number
            self.link = link
            self.process = process
        }
    }

    let name: String
    let kind: Kind
    private unowned let world: World
    private var sessions: [Session] = []
    private var lastSession = 0
    private var lastFrame: UInt64 = 0

    init(name: String, world: World, kind: Kind) {
        self.name = name
        self.kind = kind
        self.world = world
    }

    func start() {
        world.after(world.random.time(0, world.configuration.framePeriod)) { [unowned self] in
            emit()
        }
    }

    private func emit() {
        lastFrame += 1
        sessions.removeAll { !$0.isOpen }
        for session in sessions { send(to: session) }
        world.after(world.configuration.framePeriod) { [unowned self] in emit() }
    }

    private func send(to session: Session) {
        session.sent += 1
        let content: UInt64
        switch kind {
        case .shared, .single: content = lastFrame
        case .perSocket: content = UInt64(session.number) << 32 | session.sent
        case .repeated: content = 7
        }
        let delay = world.random.time(.millisecond, 60 * .millisecond)
        session.lastDelivery = max(session.lastDelivery + 1, world.now + delay)
        let at = session.lastDelivery
        world.at(at) { [weak session] in
            guard let session, session.isOpen else { return }
            session.process?.soon { _ in session.link?.received(content, on: session) }
        }
    }

    func open(_ link: Link, _ process: Process) -> Session {
        if kind == .single { for session in sessions { drop(session) } }
        lastSession += 1
        let session = Session(number: lastSession, link: link, process: process)
        sessions.append(session)
        return session
    }

    /// The remote closes the socket; the instance learns of it a little later.
    private func drop(_ session: Session) {
        guard session.isOpen else { return }
        session.isOpen = false
        world.after(10 * .millisecond) { [weak session] in
            guard let session else { return }
            session.process?.soon { _ in session.link?.dropped(session) }
        }
    }

    func dropAll() {
        for session in sessions { drop(session) }
    }
}

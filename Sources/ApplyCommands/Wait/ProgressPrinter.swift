private import Synchronization

/// Writes a progress line to the standard error as long as something is under way.
final class ProgressPrinter: Sendable {
    private let console: Console
    private let line: Mutex<ProgressLine>

    init(_ session: Session) {
        console = session.console
        line = Mutex(session.makeProgress())
    }

    func show(_ text: String) {
        let now = console.uptime()
        write(line.withLock { $0.show(text, now: now) })
    }

    func hide() {
        write(line.withLock { $0.hide() })
    }

    private func write(_ text: String) {
        if !text.isEmpty { console.error.write(text) }
    }
}

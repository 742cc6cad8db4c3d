import CMalloc
import Synchronization

/// Keeps the C library's allocator from holding what nobody uses.
///
/// A large apply and the dials after it take for a moment several times what stays. The allocator
/// keeps that for reuse, and as it lies between what stays it never falls back by itself: with a
/// heap for each thread that is 2 KiB for every connection. So all threads share one heap, where the
/// next burst finds what the last one left, and once a burst is over whole free pages go back.
package final class Heap: Sendable {
    /// Changes of records and connections that are worth giving pages back after: some megabytes
    /// of leftovers.
    static let burst = 1_000
    /// A burst is over when nothing has changed for so long.
    static let quiet: Duration = .milliseconds(250)
    /// So long after it what else changes belongs to it: statuses are written behind, the last of
    /// them when the others have been.
    static let aftermath: Duration = StatusWriter.longestWait

    /// Bytes at the end of the heap that are kept though they are free: what a replay ring takes up
    /// and forgets comes and goes there, and a page that is fetched anew costs microseconds.
    static let endKept: Int32 = 16 << 20

    private struct State {
        var changes = 0
        var isWaiting = false
    }

    private let state = Mutex(State())

    package init() {}

    /// To be called before there are threads.
    package static func prepare() {
        wsm_malloc_share_heap()
        wsm_malloc_keep_end(endKept)
    }

    /// So many records or connections have changed. Any thread.
    func changed(_ count: Int = 1) {
        let begins = state.withLock { state in
            state.changes += count
            guard state.changes >= Self.burst, !state.isWaiting else { return false }
            state.isWaiting = true
            return true
        }
        if begins { Task { await trimWhenQuiet() } }
    }

    private func trimWhenQuiet() async {
        var (seen, trimmed) = (0, 0)
        /// Time since the first trim.
        var passed = Duration.zero
        while passed < Self.aftermath || trimmed != seen {
            try? await Task.sleep(for: Self.quiet)
            if trimmed > 0 { passed += Self.quiet }
            let changes = state.withLock { $0.changes }
            if changes != seen {
                seen = changes
            } else if trimmed != seen {
                wsm_malloc_trim()
                trimmed = seen
            }
        }
        state.withLock { $0 = State() }
    }
}

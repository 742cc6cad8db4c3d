/// The exit codes of `wsm-apply`: what scripts are written against. They change only by adding.
package enum CommandStatus: Int32, Sendable, CaseIterable {
    /// Done, or no difference.
    case done = 0
    /// `diff`: there are differences. `status`: not ready, or a check fails. `get`, `describe`,
    /// `delete`, `send`, `history`: what was named is not there.
    case different = 1
    /// Wrong usage, or input the compiler or the server refuses.
    case invalid = 2
    /// The server cannot be reached, does not let us in, refuses the call or fails.
    case unreachable = 3
    /// An object belongs to somebody else, or the revision is stale. Nothing was applied.
    case conflict = 4
    /// Some objects were applied, others not.
    case partial = 5
    /// A wait, or the wait for a reply, timed out.
    case timedOut = 6
    /// A prune would delete more than it may. Nothing was applied.
    case pruneGuard = 7
    /// While waiting: a connection failed for good; no time to wait would help.
    case stalled = 8
    /// Interrupted (Ctrl-C).
    case interrupted = 130

    /// What the code means, as `--help` prints it.
    package var meaning: String {
        switch self {
        case .done: "done, or no difference"
        case .different: "differences (diff); not ready (status); a named object is not there"
        case .invalid: "wrong usage or invalid manifest"
        case .unreachable: "server unreachable, or it refused or failed"
        case .conflict: "conflict or stale revision; nothing was applied"
        case .partial: "partly applied"
        case .timedOut: "wait timed out"
        case .pruneGuard: "prune guard; nothing was applied"
        case .stalled: "failed for good while waiting"
        case .interrupted: "interrupted"
        }
    }

    /// The table for `--help`, one line a code.
    static var table: String {
        allCases.map { status in
            let code = String(status.rawValue)
            return String(repeating: " ", count: 5 - code.utf8.count) + code + "  " + status.meaning
        }.joined(separator: "\n")
    }
}

internal import ManagerAPI
internal import Spec

/// How a wait ended.
struct WaitOutcome: Sendable {
    enum End: String, Sendable {
        case reached, failed, timedOut
    }

    let end: End
    let machine: WaitMachine
    let timeout: Duration

    private static let shown = 20

    var status: CommandStatus {
        switch end {
        case .reached: .done
        case .failed: .stalled
        case .timedOut: .timedOut
        }
    }

    /// One sentence for a wait that reached its goal.
    var success: String {
        machine.goal.sentence(machine.reached)
    }

    /// What is to be said of a wait that did not: a sentence, then a line for each culprit.
    ///
    /// - Parameter now: Unix seconds.
    func complaint(now: Int64) -> [String] {
        let total = machine.targets.count
        let word = machine.goal.word
        let culprits: [(name: String, target: WaitMachine.Target)]
        var lines: [String]
        switch end {
        case .reached:
            return []
        case .timedOut:
            culprits = machine.targets(in: .pending)
            let limit = DurationText.format(timeout)
            lines = [
                "timed out after \(limit): \(culprits.count) of \(total.counted("connection"))"
                    + " not \(word)"
            ]
        case .failed:
            culprits = machine.targets(in: .failed)
            lines = [
                "\(culprits.count) of \(total.counted("connection")) failed for good;"
                    + " \(machine.reached) \(word)"
            ]
        }
        lines += culprits.prefix(Self.shown).map {
            "  " + Self.line($0.name, $0.target, machine.goal, now: now)
        }
        let rest = culprits.count - Self.shown
        if rest > 0 { lines.append("  … and \(rest) more") }
        return lines
    }

    private static func line(
        _ name: String, _ target: WaitMachine.Target, _ goal: WaitGoal, now: Int64
    ) -> String {
        let label = "connection/\(name)"
        if target.isDeleted { return "\(label) was deleted" }
        guard let object = target.object else {
            return "\(label) has not been seen by the server yet"
        }
        if goal == .deleted { return "\(label) is still there, \(object.phase)" }
        return TerminalText.singleLine(
            "\(label) \(reason(object, generation: target.generation, now: now))")
    }

    private static func reason(
        _ object: Wsm_V1_Object, generation: Int64, now: Int64
    ) -> String {
        let wanted = max(generation, object.generation)
        if object.ready, object.observedGeneration < wanted {
            return "is still at generation \(object.observedGeneration) of \(wanted)"
        }
        if object.ready { return "is Ready, no message yet" }
        var parts = ["is \(object.phase.isEmpty ? "Pending" : object.phase)"]
        if !object.reason.isEmpty { parts.append(object.reason) }
        if !object.message.isEmpty { parts.append(object.message) }
        if !object.lastError.isEmpty, object.lastError != object.message {
            parts.append(object.lastError)
        }
        return parts.joined(separator: ": ") + ConnectionText.attempt(object, now: now)
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("for", machine.goal.rawValue)
        object.text("outcome", end.rawValue)
        object.number("reached", machine.reached)
        object.number("total", machine.targets.count)
        let open = machine.targets(in: .failed) + machine.targets(in: .pending)
        object.list("missing", open.map { Self.json($0.name, $0.target) })
        return object.object
    }

    var record: Record {
        Record(level: end == .reached ? .info : .error, type: "wait", fields: json)
    }

    private static func json(_ name: String, _ target: WaitMachine.Target) -> JSONValue {
        let seen = target.object ?? Wsm_V1_Object()
        var object = JSONObjectBuilder()
        object.text("name", name)
        object.bool("failed", target.state == .failed)
        object.textIfAny("phase", seen.phase)
        object.textIfAny("reason", seen.reason)
        object.textIfAny("message", seen.message)
        object.textIfAny("lastError", seen.lastError)
        object.number("attempt", seen.attempt)
        object.timeIfAny("nextAttemptAt", seen.nextAttemptAt)
        return object.object
    }
}

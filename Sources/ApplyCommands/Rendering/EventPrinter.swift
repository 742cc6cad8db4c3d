internal import ArgumentParser
internal import ManagerAPI
internal import Spec
private import Synchronization

/// How `events` prints.
enum EventFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    case table, ndjson, json
}

/// Prints lifecycle events as they come.
final class EventPrinter: Sendable {
    private static let typeWidth = 12
    private static let nameWidth = 24

    private let format: EventFormat
    private let session: Session
    private let state = Mutex((count: 0, kept: [JSONValue]()))

    init(format: EventFormat, session: Session) {
        self.format = format
        self.session = session
    }

    /// Events printed so far.
    var printed: Int { state.withLock { $0.count } }

    /// - Returns: Whether nobody reads any more.
    func print(_ batch: Wsm_V1_EventsResponse) -> Bool {
        if batch.missed > 0 {
            session.console.error.line("gap: \(batch.missed.counted("event")) no longer held")
        }
        var bytes: [UInt8] = []
        for event in batch.cloudevents {
            switch format {
            case .ndjson: bytes += [UInt8](event) + [UInt8(ascii: "\n")]
            case .table: bytes += Array(line(event: [UInt8](event)).utf8)
            case .json:
                let json = (try? JSONValue.parse([UInt8](event))) ?? .null
                state.withLock { $0.kept.append(json) }
            }
        }
        session.console.output.write(bytes)
        state.withLock { $0.count += batch.cloudevents.count }
        return session.console.output.isClosed
    }

    /// The one document of `-o json`; a word to people where there was nothing.
    func finish() {
        if format == .json {
            var list = JSONObjectBuilder()
            list.text("apiVersion", ManifestVersion.v1)
            list.text("kind", "EventList")
            list.list("items", state.withLock { $0.kept })
            session.console.output.write(PrettyJSON.text(list.object))
        } else if format == .table, printed == 0 {
            session.note("no events are held")
        }
    }

    /// `2026-01-02T03:04:05Z  reconnecting  btc-trades  attempt 3: http503`
    private func line(event: [UInt8]) -> String {
        guard let json = try? JSONValue.parse(event) else { return "" }
        let type = String((json["type"]?.text ?? "").split(separator: ".").last ?? "")
        let name = json["websocketid"]?.text ?? ""
        let time = (json["time"]?.text ?? "").prefix(19) + "Z"
        let text =
            "\(time)  \(Self.padded(type, Self.typeWidth))  \(Self.padded(name, Self.nameWidth))  "
            + Self.detail(json["data"] ?? .null)
        var line = TerminalText.singleLine(text)
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - TerminalText.columns(text)))
    }

    private static func detail(_ data: JSONValue) -> String {
        if let message = data["error_message"]?.text {
            return "\(data["error_type"]?.text ?? "error"): \(message)"
        }
        if let cause = data["cause"]?.text {
            return cause + (data["missed"]?.text.map { ", \($0) missed" } ?? "")
        }
        var parts: [String] = []
        if case .number(let attempt)? = data["attempt"] { parts.append("attempt \(attempt)") }
        if let next = data["next_attempt_at"]?.text { parts.append("next at \(next.prefix(19))Z") }
        if parts.isEmpty, let reason = data["reason"]?.text, !reason.isEmpty {
            parts.append("was \(reason)")
        }
        return parts.joined(separator: ", ")
    }
}

internal import ArgumentParser
internal import FoundationEssentials
internal import ManagerAPI
internal import Spec
private import Synchronization

/// How `tail` prints a message.
enum MessageFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    case text, json, raw
}

/// Prints batches of messages until there are enough.
final class MessagePrinter: Sendable {
    private let format: MessageFormat
    private let withTimes: Bool
    private let limit: Int?
    private let session: Session
    private let count = Mutex(0)

    init(format: MessageFormat, withTimes: Bool, limit: Int?, session: Session) {
        self.format = format
        self.withTimes = withTimes
        self.limit = limit
        self.session = session
    }

    /// Messages printed so far.
    var printed: Int { count.withLock { $0 } }

    /// - Returns: Whether that is enough: the count is full, or nobody reads any more.
    func print(_ batch: Wsm_V1_SubscribeResponse) -> Bool {
        if batch.missed > 0 {
            session.console.error.line("gap: \(batch.missed.counted("message")) missed")
        }
        let room = limit.map { $0 - printed } ?? Int.max
        var bytes: [UInt8] = []
        for message in batch.messages.prefix(room) { append(message, to: &bytes) }
        session.console.output.write(bytes)
        let total = count.withLock { count in
            count += min(room, batch.messages.count)
            return count
        }
        return session.console.output.isClosed || total >= limit ?? Int.max
    }

    private func append(_ message: Wsm_V1_TopicMessage, to bytes: inout [UInt8]) {
        let time = withTimes && format != .json ? message.time + " " : ""
        bytes += session.style(time, .faint).utf8
        switch format {
        case .raw:
            bytes += message.data
        case .json:
            bytes += MessageJSON.object(message).serialized() + [UInt8(ascii: "\n")]
        case .text:
            bytes += text(message).utf8
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    /// The payload as text; base64 where it is none. A terminal gets no control characters.
    private func text(_ message: Wsm_V1_TopicMessage) -> String {
        guard message.contentType != "application/octet-stream",
            let text = String(validating: message.data, as: UTF8.self)
        else { return "base64:" + message.data.base64EncodedString() }
        return session.console.outputIsTerminal
            ? TerminalText.safe(text, keeping: ["\t", "\n"]) : text
    }
}

/// A message of a topic as one JSON object.
enum MessageJSON {
    static func object(_ message: Wsm_V1_TopicMessage) -> JSONValue {
        var object = JSONObjectBuilder()
        object.number("position", message.position)
        object.text("id", message.id)
        object.text("type", message.type)
        object.text("source", message.source)
        object.text("time", message.time)
        object.text("connection", message.connection)
        object.text("url", message.url)
        object.number("epoch", message.epoch)
        object.number("sequence", message.sequence)
        object.text("contentType", message.contentType)
        if message.contentType != "application/octet-stream",
            let text = String(validating: message.data, as: UTF8.self)
        {
            object.text("data", text)
        } else {
            object.text("dataBase64", message.data.base64EncodedString())
        }
        return object.object
    }
}

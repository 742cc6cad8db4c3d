import ManagerAPI
import SwiftProtobuf
import Synchronization

/// Server-sent events: one for each message of a stream, with two kinds of their own.
///
/// - Of a topic: one event a message, `id` its epoch and position, so that `Last-Event-ID` goes on
///   after it, and it shows when that was in another life of the server. In a cluster the `id` says
///   how far the reader has come with each instance.
/// - Of lifecycle events: one event a CloudEvent, as it is.
///
/// What was missed is told as `event: gap`, a failure at the end as `event: error`.
final class EventStreamWriter: StreamWriting {
    static let type = "text/event-stream"

    private let decoder: MessageDecoder
    private let message: String
    private let state: Mutex<State>

    private struct State {
        /// The reader has seen this message of the topic; nothing from before it may follow. In a
        /// cluster the first message of each instance tells.
        var resumed: TopicMark?
        /// How far the reader has come.
        var mark: TopicMark?
        var heard: Set<String> = []

        /// - Returns: whether positions have begun anew before it.
        mutating func pass(_ message: Wsm_V1_TopicMessage) -> Bool {
            if mark == nil { mark = TopicMark(message) } else { mark?.advance(to: message) }
            guard let resumed, heard.insert(message.instance).inserted else { return false }
            if message.instance.isEmpty || resumed.instances.isEmpty { self.resumed = nil }
            return resumed.isOfAnotherLife(than: message)
        }
    }

    init(decoder: MessageDecoder, message: String, after mark: TopicMark?) {
        self.decoder = decoder
        self.message = message
        state = Mutex(State(resumed: mark, mark: mark))
    }

    let keepalive = Array(": keepalive\n\n".utf8)

    func bytes(of bytes: [UInt8]) throws -> [UInt8] {
        switch message {
        case Wsm_V1_SubscribeResponse.protoMessageName: try topicMessages(bytes)
        case Wsm_V1_EventsResponse.protoMessageName: try cloudEvents(bytes)
        default: Self.event(data: try decoder.json(bytes, of: message))
        }
    }

    func end(_ failure: RPCFailure?) -> [UInt8] {
        guard let failure else { return [] }
        return Self.event(name: "error", data: ErrorBody.value(failure).bytes)
    }

    private func topicMessages(_ bytes: [UInt8]) throws -> [UInt8] {
        let response = try Wsm_V1_SubscribeResponse(serializedBytes: bytes)
        var out = Self.gap(response.missed)
        for message in response.messages {
            // Positions begin anew with each life of the server.
            let (isAnotherLife, mark) = state.withLock { state in
                (state.pass(message), state.mark)
            }
            if isAnotherLife, response.missed == 0 { out += Self.gap(nil) }
            let data = try decoder.json(
                message.serializedBytes(), of: Wsm_V1_TopicMessage.protoMessageName)
            out += Self.event(id: mark?.description, data: data)
        }
        return out
    }

    private func cloudEvents(_ bytes: [UInt8]) throws -> [UInt8] {
        let response = try Wsm_V1_EventsResponse(serializedBytes: bytes)
        return response.cloudevents.reduce(into: Self.gap(response.missed)) { out, event in
            out += Self.event(data: Array(event))
        }
    }

    /// - Parameter missed: `nil` if nobody knows how many.
    private static func gap(_ missed: UInt64?) -> [UInt8] {
        if missed == 0 { return [] }
        let count: JSONValue = missed.map { .string(String($0)) } ?? .null
        return event(name: "gap", data: (["missed": count] as JSONValue).bytes)
    }

    /// - Parameter data: On one line, as JSON written without blanks is.
    private static func event(
        name: String? = nil, id: String? = nil, data: [UInt8]
    ) -> [UInt8] {
        var out: [UInt8] = []
        if let name { out += Array("event: \(name)\n".utf8) }
        if let id { out += Array("id: \(id)\n".utf8) }
        for line in data.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            out += Array("data: ".utf8) + line + [0x0A]
        }
        return out + [0x0A]
    }
}

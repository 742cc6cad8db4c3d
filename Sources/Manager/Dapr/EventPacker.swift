import ManagerCore
import Spec

/// Makes events as a broker gets them of the messages of one row: one each, or arrays.
struct EventPacker {
    static let contentType = "application/cloudevents+json"

    /// One event, and the messages in it.
    struct Packed: Sendable {
        /// `nil`: the message cannot be written as its policy wants.
        var bytes: [UInt8]?
        /// One message, or those of an array.
        var runs: [EventRun]

        var topic: String { runs[0].topic }
    }

    private let runs: [EventRun]
    private let maxBytes: Int
    private var run = 0
    private var index = 0

    /// - Parameter maxBytes: What an array may grow to; a message that is larger is an event alone.
    init(_ runs: [EventRun], maxBytes: Int) {
        self.runs = runs
        self.maxBytes = maxBytes
    }

    /// The next event; `nil` after the last.
    mutating func next() -> Packed? {
        guard let first = take() else { return nil }
        let delivery = runs[run].delivery
        guard delivery.batch == .array,
            var batch = CloudEventBatch(first, maxBytes: min(delivery.batchBytes, maxBytes))
        else {
            return Packed(
                bytes: CloudEventWriter.json(first, data: first.data),
                runs: [runs[run].part(index - 1..<index)])
        }
        var parts: [EventRun] = []
        var start = index - 1
        while true {
            while index < runs[run].count, batch.append(runs[run][index]) { index += 1 }
            parts.append(runs[run].part(start..<index))
            guard index == runs[run].count, run + 1 < runs.count, batch.append(runs[run + 1][0])
            else { break }
            run += 1
            (start, index) = (0, 1)
        }
        return Packed(bytes: batch.json(), runs: parts)
    }

    /// The next message, if there is one.
    private mutating func take() -> OutboundEvent? {
        while run < runs.count, index >= runs[run].count {
            run += 1
            index = 0
        }
        guard run < runs.count else { return nil }
        defer { index += 1 }
        return runs[run][index]
    }
}

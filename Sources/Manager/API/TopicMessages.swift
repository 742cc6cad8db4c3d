import ManagerAPI
import ManagerCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension TopicDelivery {
    var topicMessages: [Wsm_V1_TopicMessage] {
        var messages: [Wsm_V1_TopicMessage] = []
        messages.reserveCapacity(runs.messageCount)
        for run in runs {
            TopicMessageWriter(run).append(
                from: firstPosition + UInt64(messages.count), to: &messages)
        }
        return messages
    }
}

/// Makes the API's messages of a run: what they have in common is made once.
private struct TopicMessageWriter {
    private let run: EventRun
    private let shared: Wsm_V1_TopicMessage
    /// An id up to its sequence.
    private let idPrefix: String

    init(_ run: EventRun) {
        self.run = run
        let origin = run.block.origin
        var shared = Wsm_V1_TopicMessage()
        shared.type = origin.type
        shared.source = origin.source
        shared.time = run.block.time.rfc3339
        for attribute in origin.attributes {
            switch attribute.name {
            case "websocketid": shared.connection = attribute.value
            case "websocketurl": shared.url = attribute.value
            default: break
            }
        }
        shared.epoch = origin.epoch
        self.shared = shared
        idPrefix = "\(origin.uid).\(origin.epoch)."
    }

    func append(from position: UInt64, to messages: inout [Wsm_V1_TopicMessage]) {
        run.block.payload.withUnsafeBufferPointer { payload in
            for index in 0..<run.count {
                let bytes = UnsafeBufferPointer(rebasing: payload[run.payloadRange(at: index)])
                let sequence = run.id(at: index).sequence
                var message = shared
                message.position = position + UInt64(index)
                message.id = idPrefix + String(sequence)
                message.sequence = sequence
                message.contentType =
                    CloudEventWriter.contentType(of: run.block, bytes) ?? "application/octet-stream"
                message.data = Data(bytes)
                messages.append(message)
            }
        }
    }
}

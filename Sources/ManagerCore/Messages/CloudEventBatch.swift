import Spec

/// Many messages of one connection as one event: `publish.batch: array`.
///
/// `type` is ``type``, `id` is `uid.epoch.first-last`, `sequence` that of the first, `batchsize` how
/// many there are. `data` is an array with, for each message, `sequence`, `time`,
/// `datacontenttype`, and `data` or `data_base64` as the message would have on its own. A batch
/// that is sent again may be cut differently, so consumers tell repeated messages by `epoch` and
/// the `sequence` of each.
package struct CloudEventBatch: Sendable {
    package static let type = "com.virtufin.websocketmanager.messages"

    private let first: OutboundEvent
    private var last: EventID
    private var elements: [UInt8] = []
    private let maxBytes: Int
    package private(set) var count = 0

    /// Begins with one message, whatever its size.
    ///
    /// - Parameter maxBytes: Of the whole event.
    /// - Returns: `nil` if the message cannot be written (``CloudEventWriter/json(_:data:)``).
    package init?(_ first: OutboundEvent, maxBytes: Int) {
        guard let element = Self.element(first) else { return nil }
        self.first = first
        self.maxBytes = maxBytes
        last = first.id
        elements = element
        count = 1
    }

    /// - Returns: whether there was room for it, and it belongs to the others.
    package mutating func append(_ event: OutboundEvent) -> Bool {
        guard event.id.uid == first.id.uid, event.id.epoch == first.id.epoch,
            event.topic == first.topic, let element = Self.element(event),
            headBytes + elements.count + element.count < maxBytes
        else { return false }
        elements.append(UInt8(ascii: ","))
        elements += element
        last = event.id
        count += 1
        return true
    }

    /// The whole event, in the JSON format of CloudEvents.
    package func json() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headBytes + elements.count)
        JSONBytes.appendLiteral("{\"specversion\":\"1.0\",\"id\":\"", to: &bytes)
        first.id.appendText(to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        JSONBytes.appendDecimal(last.sequence, to: &bytes)
        JSONBytes.appendLiteral("\",\"source\":", to: &bytes)
        JSONBytes.appendString(first.source, to: &bytes)
        JSONBytes.appendMember("type", Self.type, to: &bytes)
        JSONBytes.appendLiteral(",\"time\":\"", to: &bytes)
        first.time.appendRFC3339(to: &bytes)
        JSONBytes.appendLiteral("\",\"datacontenttype\":\"application/json\"", to: &bytes)
        for attribute in first.attributes {
            bytes.append(UInt8(ascii: ","))
            JSONBytes.appendString(attribute.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            JSONBytes.appendString(attribute.value, to: &bytes)
        }
        if first.attributeStyle == .upstream {
            CloudEventWriter.appendUpstreamAttributes(
                of: first, contentType: "application/json", to: &bytes)
        }
        JSONBytes.appendMember("epoch", String(first.id.epoch), to: &bytes)
        JSONBytes.appendMember("sequence", String(first.id.sequence), to: &bytes)
        JSONBytes.appendMember("batchsize", String(count), to: &bytes)
        JSONBytes.appendLiteral(",\"data\":[", to: &bytes)
        bytes += elements
        JSONBytes.appendLiteral("]}", to: &bytes)
        return bytes
    }

    private static func element(_ event: OutboundEvent) -> [UInt8]? {
        guard let content = CloudEventWriter.content(of: event, event.data) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128 + event.payload.count + event.payload.count / 3)
        JSONBytes.appendLiteral("{\"sequence\":\"", to: &bytes)
        JSONBytes.appendDecimal(event.id.sequence, to: &bytes)
        JSONBytes.appendLiteral("\",\"time\":\"", to: &bytes)
        event.time.appendRFC3339(to: &bytes)
        JSONBytes.appendLiteral("\",\"datacontenttype\":\"", to: &bytes)
        JSONBytes.appendLiteral(CloudEventWriter.contentType(content), to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        CloudEventWriter.appendData(event.payload, content, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// Bound of everything around the elements.
    private var headBytes: Int {
        first.attributes.reduce(640 + 2 * first.source.utf8.count) {
            $0 + 2 * ($1.name.utf8.count + 2 * $1.value.utf8.count + 8)
        }
    }
}

package import Spec

/// Writes events in the JSON format of CloudEvents 1.0, byte by byte.
///
/// `epoch` and `sequence` are strings of decimal digits: an integer attribute of CloudEvents has 32
/// bits, and JSON numbers beyond 2^53 are not safe in every parser. `datacontenttype` says
/// what `data` means: `application/json` for a JSON value, `text/plain` for a string,
/// `application/octet-stream` for `data_base64` of a binary message.
///
/// Cost: one allocation for the result; payload bytes that are JSON are copied, not parsed again.
package enum CloudEventWriter {
    enum Content {
        case json
        case string
        case base64(type: StaticString)
    }

    /// The event as one JSON object.
    ///
    /// - Parameter mode: How a message is carried.
    ///   - `auto`: a text that is a JSON object or array as JSON, other text as a string, binary
    ///     as base64;
    ///   - `json`: text or binary that is any JSON value, as JSON;
    ///   - `string`: text, and binary that is valid UTF-8, as a string; other binary as base64,
    ///     since nothing may be lost;
    ///   - `base64`: everything as base64.
    /// - Returns: `nil` only in mode `json` if the message is not JSON; the caller counts it as
    ///   ``DropReason/notJSON``.
    package static func json(
        _ event: OutboundEvent, data mode: ConnectionSpec.PublishData
    ) -> [UInt8]? {
        guard let content = content(of: event, mode) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(capacity(for: event, content))
        bytes.append(UInt8(ascii: "{"))
        appendAttributes(of: event, content, to: &bytes)
        appendData(event.payload, content, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// `datacontenttype` of the event; `nil` where ``json(_:data:)`` is.
    package static func contentType(of event: OutboundEvent) -> String? {
        content(of: event, event.data).map { contentType($0).description }
    }

    /// The same of one payload of a block.
    package static func contentType(
        of block: EventRun.Block, _ payload: UnsafeBufferPointer<UInt8>
    ) -> StaticString? {
        content(of: payload, block.kind, block.data).map(contentType)
    }

    /// Decides how the payload is carried.
    static func content(
        of event: OutboundEvent, _ mode: ConnectionSpec.PublishData
    ) -> Content? {
        event.payload.withUnsafeBufferPointer { content(of: $0, event.kind, mode) }
    }

    private static func content(
        of payload: UnsafeBufferPointer<UInt8>, _ kind: OutboundEvent.Kind,
        _ mode: ConnectionSpec.PublishData
    ) -> Content? {
        if kind == .json { return .json }
        let isText = kind == .text
        switch mode {
        case .auto:
            guard isText else { return .base64(type: "application/octet-stream") }
            return isObjectOrArray(payload) ? .json : .string
        case .json:
            return JSONText.type(of: payload) != nil ? .json : nil
        case .string:
            let isString = isText || UTF8Check.isValid(payload)
            return isString ? .string : .base64(type: "application/octet-stream")
        case .base64:
            return .base64(type: isText ? "text/plain" : "application/octet-stream")
        }
    }

    /// Looks at the first byte before it scans the whole text.
    private static func isObjectOrArray(_ payload: UnsafeBufferPointer<UInt8>) -> Bool {
        switch payload.first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), 0x20, 0x09, 0x0A, 0x0D:
            let type = JSONText.type(of: payload)
            return type == .object || type == .array
        default:
            return false
        }
    }

    private static func appendAttributes(
        of event: OutboundEvent, _ content: Content, to bytes: inout [UInt8]
    ) {
        JSONBytes.appendLiteral("\"specversion\":\"1.0\",\"id\":\"", to: &bytes)
        event.id.appendText(to: &bytes)
        JSONBytes.appendLiteral("\",\"source\":", to: &bytes)
        JSONBytes.appendString(event.source, to: &bytes)
        JSONBytes.appendLiteral(",\"type\":", to: &bytes)
        JSONBytes.appendString(event.type, to: &bytes)
        if let subject = event.subject { JSONBytes.appendMember("subject", subject, to: &bytes) }
        JSONBytes.appendLiteral(",\"time\":\"", to: &bytes)
        event.time.appendRFC3339(to: &bytes)
        JSONBytes.appendLiteral("\",\"datacontenttype\":\"", to: &bytes)
        JSONBytes.appendLiteral(contentType(content), to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        for attribute in event.attributes {
            bytes.append(UInt8(ascii: ","))
            JSONBytes.appendString(attribute.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            JSONBytes.appendString(attribute.value, to: &bytes)
        }
        JSONBytes.appendLiteral(",\"epoch\":\"", to: &bytes)
        JSONBytes.appendDecimal(event.id.epoch, to: &bytes)
        JSONBytes.appendLiteral("\",\"sequence\":\"", to: &bytes)
        JSONBytes.appendDecimal(event.id.sequence, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        if event.attributeStyle == .upstream {
            appendUpstreamAttributes(of: event, contentType: contentType(content), to: &bytes)
        }
    }

    /// What the older service sent beside the event, under its own names.
    static func appendUpstreamAttributes(
        of event: OutboundEvent, contentType: StaticString, to bytes: inout [UInt8]
    ) {
        for attribute in event.attributes {
            switch attribute.name {
            case "websocketid": JSONBytes.appendMember("websocketId", attribute.value, to: &bytes)
            case "websocketurl":
                JSONBytes.appendMember("websocketUrl", attribute.value, to: &bytes)
            default: break
            }
        }
        JSONBytes.appendLiteral(",\"timestamp\":\"", to: &bytes)
        event.time.appendRFC3339(to: &bytes)
        JSONBytes.appendLiteral("\",\"contentType\":\"", to: &bytes)
        JSONBytes.appendLiteral(contentType, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    static func appendData(
        _ payload: [UInt8], _ content: Content, to bytes: inout [UInt8]
    ) {
        switch content {
        case .json:
            JSONBytes.appendKey("data", to: &bytes)
            bytes.append(contentsOf: payload)
        case .string:
            JSONBytes.appendKey("data", to: &bytes)
            JSONBytes.appendString(utf8: payload, to: &bytes)
        case .base64:
            JSONBytes.appendKey("data_base64", to: &bytes)
            bytes.append(UInt8(ascii: "\""))
            JSONBytes.appendBase64(payload, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
    }

    static func contentType(_ content: Content) -> StaticString {
        switch content {
        case .json: "application/json"
        case .string: "text/plain"
        case .base64(let type): type
        }
    }

    /// Enough for the common case, so that the array does not grow while it is written.
    private static func capacity(for event: OutboundEvent, _ content: Content) -> Int {
        let attributes = event.attributes.reduce(256) {
            $0 + $1.name.utf8.count + $1.value.utf8.count + 6
        }
        let head = attributes + event.source.utf8.count + event.type.utf8.count + 64
        switch content {
        case .json: return head + event.payload.count
        case .string: return head + event.payload.count + event.payload.count / 8
        case .base64: return head + (event.payload.count + 2) / 3 * 4
        }
    }
}

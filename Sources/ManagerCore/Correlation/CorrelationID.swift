/// The id we put into a message so that its reply can be told.
enum CorrelationID: Sendable, Hashable {
    /// The usual one: a string in JSON, or sixteen bytes.
    case uuid(UUIDBytes)
    /// In place of a caller's integer, for servers that take nothing else.
    case integer(Int64)

    /// The id as a JSON value.
    var json: [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .uuid(let uuid):
            bytes.append(UInt8(ascii: "\""))
            uuid.appendText(to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        case .integer(let number):
            bytes.append(contentsOf: String(number).utf8)
        }
        return bytes
    }

    /// Reads an id from a reply; `nil` if the value is none of ours.
    init?(_ location: JSONValueLocation, in bytes: [UInt8]) {
        switch location.type {
        case .string:
            let text = JSONText.unescaped(bytes, location.range)
            guard let uuid = UUIDBytes(text: text) else { return nil }
            self = .uuid(uuid)
        case .number:
            guard let number = Int64(String(decoding: bytes[location.range], as: UTF8.self))
            else { return nil }
            self = .integer(number)
        case .object, .array, .bool, .null:
            return nil
        }
    }
}

/// Where a reply carries its id. Together with the id this is what a reply is looked up by.
enum CorrelationPlace: Sendable, Hashable {
    case field(JSONRoute)
    case envelope
    case prefix
}

/// One way to mark a message and to read its reply, chosen when the message is sent.
enum CorrelationMark: Sendable {
    /// `original`: the caller's own value of the field, `nil` if there was none, and
    /// `existingParts` of the path were there.
    case field(JSONRoute, original: [UInt8]?, existingParts: Int)
    case envelope
    case prefix

    var place: CorrelationPlace {
        switch self {
        case .field(let path, _, _): .field(path)
        case .envelope: .envelope
        case .prefix: .prefix
        }
    }

    /// What the caller gets of a reply that was matched by this mark.
    func response(from message: [UInt8]) -> [UInt8] {
        switch self {
        case .field(let path, let original?, _):
            guard case .found(let location) = JSONText.locate(path, in: message)
            else { return message }
            return JSONText.replacing(location, in: message, with: original)
        case .field(let path, nil, let existingParts):
            return JSONText.removing(path, keepingParts: existingParts, from: message)
        case .envelope:
            return CorrelationEnvelope.payload(of: message)
        case .prefix:
            return Array(message.dropFirst(16))
        }
    }
}

/// `{"id":"<uuid>","payload":"<text>"}`, the envelope of the older service.
enum CorrelationEnvelope {
    static let idPath = JSONRoute(parts: [.init("id")])
    private static let payloadPath = JSONRoute(parts: [.init("payload")])

    /// - Parameter text: Valid UTF-8.
    static func wrap(_ text: [UInt8], id: UUIDBytes) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count + text.count / 8 + 64)
        bytes.append(UInt8(ascii: "{"))
        JSONBytes.appendKey("id", to: &bytes)
        bytes.append(contentsOf: CorrelationID.uuid(id).json)
        JSONBytes.appendKey("payload", to: &bytes)
        JSONBytes.appendString(utf8: text, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The payload of a reply: the text a string stands for, any other JSON as it is written, and
    /// the whole reply if it has no payload.
    static func payload(of message: [UInt8]) -> [UInt8] {
        guard case .found(let location) = JSONText.locate(payloadPath, in: message)
        else { return message }
        guard location.type == .string else { return Array(message[location.range]) }
        return JSONText.unescaped(message, location.range)
    }
}

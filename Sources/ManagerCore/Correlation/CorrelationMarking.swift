internal import Spec

/// A message made ready for the wire.
struct MarkedMessage: Sendable {
    var bytes: [UInt8]
    var isText: Bool
    var mark: CorrelationMark
    var id: CorrelationID
}

/// Puts an id into a message by its mode; one function for each place an id can have.
enum CorrelationMarking {
    /// - Parameters:
    ///   - uuid, integer: Fresh ids, of which one is used.
    /// - Returns: `nil` in mode `next`, which sends the message as it is.
    static func mark(
        _ message: [UInt8], isText: Bool, rule: CorrelationRule, uuid: UUIDBytes, integer: Int64
    ) throws(CorrelationRefusal) -> MarkedMessage? {
        switch rule.mode {
        case .next:
            return nil
        case .auto where isText:
            guard JSONText.looksLikeObject(message) else { throw .textWithoutID }
            return try markField(
                message, isText, rule.field, uuid, integer, ifNotJSON: .textWithoutID)
        case .jsonField:
            return try markField(
                message, isText, rule.field, uuid, integer, ifNotJSON: .notJSONObject)
        case .envelope:
            guard isText, UTF8Check.isValid(message) else { throw .notText }
            return MarkedMessage(
                bytes: CorrelationEnvelope.wrap(message, id: uuid), isText: true,
                mark: .envelope, id: .uuid(uuid))
        case .prefix, .auto:
            guard !isText else { throw .notBinary }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(16 + message.count)
            uuid.append(to: &bytes)
            bytes.append(contentsOf: message)
            return MarkedMessage(bytes: bytes, isText: false, mark: .prefix, id: .uuid(uuid))
        }
    }

    /// Puts our id in the place of the caller's. A caller who writes integers gets an integer on the
    /// wire, since its server may take nothing else; every other caller gets a UUID.
    private static func markField(
        _ message: [UInt8], _ isText: Bool, _ path: JSONRoute, _ uuid: UUIDBytes,
        _ integer: Int64, ifNotJSON refusal: CorrelationRefusal
    ) throws(CorrelationRefusal) -> MarkedMessage {
        guard JSONText.looksLikeObject(message) else { throw refusal }
        var id = CorrelationID.uuid(uuid)
        switch JSONText.locate(path, in: message) {
        case .notJSON:
            throw refusal
        case .unreachable:
            throw .fieldUnreachable(path)
        case .absent(let insertion):
            return MarkedMessage(
                bytes: JSONText.inserting(id.json, at: path, insertion, in: message),
                isText: isText,
                mark: .field(path, original: nil, existingParts: insertion.existingParts), id: id)
        case .found(let location):
            let original = Array(message[location.range])
            if location.type == .number, original.allSatisfy(isDigitOrMinus) {
                id = .integer(integer)
            }
            return MarkedMessage(
                bytes: JSONText.replacing(location, in: message, with: id.json),
                isText: isText,
                mark: .field(path, original: original, existingParts: path.parts.count), id: id)
        }
    }

    private static func isDigitOrMinus(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10
    }
}

package import Spec

/// How a reply is told from other messages: `correlation` of one connection, ready for use.
///
/// A send keeps the rule it began with, so an edit never strands what is in flight.
package struct CorrelationRule: Sendable {
    /// True if a message is the reply, in mode `next`.
    package typealias Matcher = @Sendable (_ message: [UInt8], _ isText: Bool) -> Bool

    package var mode: ConnectionSpec.CorrelationMode
    package var field: JSONRoute
    /// `nil`: any message is the reply.
    package var matches: Matcher?
    /// Most sends that wait for a reply, those in the queue of mode `next` counted.
    package var maxPending: Int

    package init(
        mode: ConnectionSpec.CorrelationMode, field: JSONRoute, matches: Matcher? = nil,
        maxPending: Int
    ) {
        self.mode = mode
        self.field = field
        self.matches = matches
        self.maxPending = maxPending
    }

    /// - Parameter matches: `correlation.match`, compiled.
    /// - Returns: `nil` if `correlation.field` is not a path; the manifest compiler refuses that.
    package init?(_ correlation: ConnectionSpec.Correlation, matches: Matcher? = nil) {
        guard let field = try? JSONRoute(correlation.field) else { return nil }
        self.init(
            mode: correlation.mode, field: field, matches: matches,
            maxPending: correlation.maxPending)
    }
}

/// Why a message cannot be sent with a reply awaited. `description` is fit for the caller.
package enum CorrelationRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// Mode `auto`, and a text that is no JSON object has no place for an id.
    case textWithoutID
    /// Mode `jsonField`, and the message is not a JSON object.
    case notJSONObject
    /// The message has something else where the object that holds the field should be.
    case fieldUnreachable(JSONRoute)
    /// Mode `envelope` carries text (valid UTF-8) only.
    case notText
    /// Mode `prefix` carries binary only: sixteen random bytes are not valid in a text frame.
    case notBinary
    /// As many as allowed are waiting for a reply already.
    case tooManyPending(limit: Int)

    /// The manifest field to look at.
    package var field: String {
        switch self {
        case .textWithoutID, .notJSONObject, .notText, .notBinary: "correlation.mode"
        case .fieldUnreachable: "correlation.field"
        case .tooManyPending: "correlation.maxPending"
        }
    }

    package var description: String {
        switch self {
        case .textWithoutID:
            "correlation.mode is auto, which finds the reply to a text message by an id in it: "
                + "the message must be a JSON object (or set correlation.mode)"
        case .notJSONObject:
            "correlation.mode is jsonField: the message must be a JSON object"
        case .fieldUnreachable(let path):
            "correlation.field is \(path): the message has no object that could hold it"
        case .notText:
            "correlation.mode is envelope: the message must be text"
        case .notBinary:
            "correlation.mode is prefix: the message must be binary"
        case .tooManyPending(let limit):
            "correlation.maxPending is \(limit): so many sends are waiting for a reply already"
        }
    }
}

/// The identity of one connection object, drawn when it is created.
///
/// A name that is used again gets another uid, so ids of events never repeat. Text like a UUID:
/// 1 to 64 of `a-z A-Z 0-9 -`. A dot is not allowed; it separates the parts of an ``EventID``.
package struct ConnectionUID: Sendable, Hashable, CustomStringConvertible {
    private enum Form: Sendable, Hashable {
        /// Nearly all are: two words and nothing on the heap, to be compared without looking there.
        case uuid(UUIDBytes)
        /// Never the spelling of a UUID as it is written here, so that each uid has one form.
        case text(String)
    }

    private let form: Form

    package init?(rawValue: String) {
        let utf8 = rawValue.utf8
        if let uuid = UUIDBytes(text: utf8), !utf8.contains(where: Self.isUppercase) {
            form = .uuid(uuid)
            return
        }
        guard utf8.allSatisfy(Self.isLegal), (1...64).contains(utf8.count) else { return nil }
        form = .text(rawValue)
    }

    package init(_ uuid: UUIDBytes) {
        form = .uuid(uuid)
    }

    private static func isUppercase(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isLegal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"):
            true
        default: isUppercase(byte)
        }
    }

    /// A fresh uid: a random UUID.
    package static func random(using generator: inout some RandomNumberGenerator) -> ConnectionUID {
        ConnectionUID(UUIDBytes.random(using: &generator))
    }

    /// Made anew at each call; ``appendText(to:)`` makes no string.
    package var rawValue: String {
        switch form {
        case .uuid(let uuid): uuid.description
        case .text(let text): text
        }
    }

    package var description: String { rawValue }

    package func appendText(to bytes: inout [UInt8]) {
        switch form {
        case .uuid(let uuid): uuid.appendText(to: &bytes)
        case .text(let text): JSONBytes.appendPlain(text, to: &bytes)
        }
    }

    /// Lifecycle events count on their own, so their ids must not be those of messages: a consumer
    /// that knows events by id alone would take one for the other.
    package var ofLifecycleEvents: ConnectionUID {
        ConnectionUID(rawValue: rawValue + "-lifecycle") ?? self
    }
}

/// The id of one event on the bus: `uid.epoch.sequence`.
///
/// `epoch` counts the owners a connection has had; `sequence` starts at 1 in each `(uid, epoch)`,
/// is given when a message is taken from its socket and is kept by every retry. A hole in it is
/// a message that was dropped, and counted.
package struct EventID: Sendable, Hashable, CustomStringConvertible {
    package var uid: ConnectionUID
    package var epoch: UInt64
    package var sequence: UInt64

    package init(uid: ConnectionUID, epoch: UInt64, sequence: UInt64) {
        self.uid = uid
        self.epoch = epoch
        self.sequence = sequence
    }

    /// Reads what ``description`` writes.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let uid = ConnectionUID(rawValue: String(parts[0])),
            let epoch = Self.number(parts[1]), let sequence = Self.number(parts[2])
        else { return nil }
        self.init(uid: uid, epoch: epoch, sequence: sequence)
    }

    package var description: String {
        var bytes: [UInt8] = []
        appendText(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text form; digits are made in place, without string interpolation.
    package func appendText(to bytes: inout [UInt8]) {
        uid.appendText(to: &bytes)
        bytes.append(UInt8(ascii: "."))
        JSONBytes.appendDecimal(epoch, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        JSONBytes.appendDecimal(sequence, to: &bytes)
    }

    /// Digits only, without a sign or a leading zero, so that each id has one spelling.
    private static func number(_ text: Substring) -> UInt64? {
        guard let value = UInt64(text), String(value) == text else { return nil }
        return value
    }
}

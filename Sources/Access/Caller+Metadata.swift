import GRPCCore

/// How a caller that the gateway has admitted travels to the in-process server.
///
/// The key is private: ``AccessInterceptor`` takes it out of everything a network client sends.
extension Caller {
    static let metadataKey = "wsm-caller"
    /// Longest name taken over, in characters: that of a certificate has no bound of its own.
    static let longestName = 253

    /// The pairs to send along with a call on the in-process transport; opaque to who sends them.
    package var metadata: [(key: String, value: String)] {
        let fields = [role.rawValue, means.rawValue, address, name]
        return [(Self.metadataKey, fields.map(Self.escaped).joined(separator: " "))]
    }

    /// - Returns: `nil` unless there is exactly one caller, whole and valid.
    init?(metadata: Metadata) {
        let values = Array(metadata[stringValues: Self.metadataKey])
        guard values.count == 1 else { return nil }
        let fields = values[0].split(separator: " ", omittingEmptySubsequences: false)
            .map(Self.unescaped)
        guard fields.count == 4, let role = fields[0].flatMap(Role.init(rawValue:)),
            let means = fields[1].flatMap(Means.init(rawValue:)), let address = fields[2],
            let name = fields[3]
        else { return nil }
        self.init(name: name, role: role, means: means, address: address)
    }

    /// Hexadecimal of UTF-8: nothing in it can end a field or a header.
    private static func escaped(_ text: String) -> String {
        Hexadecimal.text(of: Array(text.utf8))
    }

    private static func unescaped(_ text: Substring) -> String? {
        Hexadecimal.bytes(of: text).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

/// Bytes as two digits each.
enum Hexadecimal {
    static func text(of bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// - Returns: `nil` where the text has another digit, or an odd number of them.
    static func bytes(of text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[start]), let low = value(digits[start + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

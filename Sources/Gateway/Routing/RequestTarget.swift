/// What the request line asks for, taken apart.
struct RequestTarget: Sendable, Hashable {
    /// Each decoded; `/` is none.
    var segments: [String]
    /// In the order they were given, decoded.
    var query: [Parameter]

    struct Parameter: Sendable, Hashable {
        var name: String
        var value: String
    }

    /// One sentence.
    struct Problem: Error, CustomStringConvertible {
        var description: String
    }

    init(_ text: String) throws(Problem) {
        var rest = text[...]
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, path.hasPrefix("/") else {
            throw Problem(description: "the path must begin with /")
        }
        segments =
            path == "/"
            ? []
            : try path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
                .map { segment throws(Problem) in
                    try PercentText.decode(segment, plusIsBlank: false, where: "the path")
                }
        query = []
        for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query.append(
                Parameter(
                    name: try PercentText.decode(
                        sides[0], plusIsBlank: true, where: "the name of a query parameter"),
                    value: sides.count < 2
                        ? ""
                        : try PercentText.decode(
                            sides[1], plusIsBlank: true, where: "a query parameter")))
        }
    }
}

/// Percent-encoding of RFC 3986.
enum PercentText {
    /// - Parameters:
    ///   - plusIsBlank: As in a query, where forms write a blank so.
    ///   - place: For the sentence.
    static func decode(
        _ text: Substring, plusIsBlank: Bool, where place: String
    ) throws(RequestTarget.Problem) -> String {
        var out: [UInt8] = []
        var bytes = text.utf8[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = bytes.popFirst(), let low = bytes.popFirst(),
                    let value = hex(high, low)
                else {
                    throw RequestTarget.Problem(
                        description: "two hexadecimal digits must follow % in \(place)")
                }
                out.append(value)
            case UInt8(ascii: "+") where plusIsBlank: out.append(0x20)
            default: out.append(byte)
            }
        }
        guard let decoded = String(validating: out, as: UTF8.self) else {
            throw RequestTarget.Problem(description: "\(place) is not UTF-8")
        }
        return decoded
    }

    private static func hex(_ high: UInt8, _ low: UInt8) -> UInt8? {
        guard let high = Character(Unicode.Scalar(high)).hexDigitValue,
            let low = Character(Unicode.Scalar(low)).hexDigitValue
        else { return nil }
        return UInt8(high << 4 | low)
    }
}

/// Sequences at every edge of UTF-8 (RFC 3629), in the order of the groups 6.5 to 6.23.
enum UTF8Sequences {
    struct Sequence: Sendable {
        var isValid: Bool
        var bytes: [UInt8]
    }

    static let groups: [[Sequence]] = [
        characters, prefixes, firsts, tooLongFirsts, lasts, tooLongLasts, borders, continuations,
        lonely, cutOff, cutOffTogether, impossible, overlong, longestOverlong, overlongZero,
        surrogates, surrogatePairs, nonCharacters, specials,
    ]

    private static let characters: [Sequence] = [
        "hello$world", "hello¢world", "hello€world", "hello𤭢world", "κ\u{1F79}σμε",
    ].map { Sequence(isValid: true, bytes: Array($0.utf8)) }

    /// Every beginning of a text; valid where it ends between two characters.
    private static let prefixes: [Sequence] = {
        let text = Array("κ\u{1F79}σμε".utf8)
        return (1...text.count).map { count in
            let isWhole = count == text.count || text[count] & 0xC0 != 0x80
            return Sequence(isValid: isWhole, bytes: Array(text[..<count]))
        }
    }()

    /// The first and the last of each length; there are none of more than four bytes.
    private static let firsts = good("00", "c280", "e0a080", "f0908080")
    private static let tooLongFirsts = bad("f888808080", "fc8480808080")
    private static let lasts = good("7f", "dfbf", "efbfbf", "f48fbfbf")
    private static let tooLongLasts = bad("f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf")
    private static let borders =
        good("ed9fbf", "ee8080", "efbfbd", "f48fbfbf") + bad("f4908080")

    private static let continuations: [Sequence] =
        bad("80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf") + [
            Sequence(isValid: false, bytes: Array(0x80..<0xBF))
        ]

    private static let lonely: [Sequence] = [
        0xC0..<0xDF, 0xE0..<0xEF, 0xF0..<0xF7, 0xF8..<0xFB, 0xFC..<0xFD,
    ].map { (leads: Range<UInt8>) in
        Sequence(isValid: false, bytes: leads.flatMap { [$0, 0x20] })
    }

    private static let cutOff = bad(
        "c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf",
        "fdbfbfbfbf")
    private static let cutOffTogether = [
        Sequence(isValid: false, bytes: cutOff.flatMap(\.bytes))
    ]
    private static let impossible = bad("fe", "ff", "fefeffff")

    /// Longer than need be.
    private static let overlong = bad("c0af", "e080af", "f08080af", "f8808080af", "fc80808080af")
    private static let longestOverlong = bad(
        "c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf")
    private static let overlongZero = bad(
        "c080", "e08080", "f0808080", "f880808080", "fc8080808080")

    private static let surrogates = bad(
        "eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf")
    private static let surrogatePairs = bad(
        "eda080edb080", "eda080edbfbf", "edadbfedb080", "edadbfedbfbf", "edae80edb080",
        "edae80edbfbf", "edafbfedb080", "edafbfedbfbf")

    /// The last two of every plane; characters of no meaning, and valid.
    private static let nonCharacters: [Sequence] = (0...16).flatMap { (plane: UInt32) in
        [UInt32(0xFFFE), 0xFFFF].compactMap { last in
            Unicode.Scalar(plane << 16 | last).map {
                Sequence(isValid: true, bytes: Array(String($0).utf8))
            }
        }
    }

    private static let specials = good(
        "efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf")

    private static func good(_ texts: String...) -> [Sequence] {
        texts.map { Sequence(isValid: true, bytes: Self.bytes($0)) }
    }

    private static func bad(_ texts: String...) -> [Sequence] {
        texts.map { Sequence(isValid: false, bytes: Self.bytes($0)) }
    }

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.utf8.map { UInt8($0 < 0x40 ? $0 - 0x30 : $0 - 0x57) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

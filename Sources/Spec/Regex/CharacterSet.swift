/// A set of characters of a pattern: ranges, Unicode categories, negation and case folding.
struct CharacterSet: Sendable {
    private var ranges: [ClosedRange<UInt32>] = []
    /// Two-letter general categories, or the first letter of a group of them; and whether negated.
    private var categories: [(name: String, isNegated: Bool)] = []
    private var isNegated = false
    private var ignoresCase = false
    /// The answer for U+0000 to U+007F, one bit each.
    private var ascii: (low: UInt64, high: UInt64) = (0, 0)

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }

    mutating func insert(_ other: [ClosedRange<UInt32>]) { ranges += other }

    mutating func insert(category: String, isNegated: Bool) {
        categories.append((category, isNegated))
    }

    /// Ends the making: fills in the quick answers.
    mutating func seal(isNegated: Bool, ignoresCase: Bool) {
        self.isNegated = isNegated
        self.ignoresCase = ignoresCase
        guard categories.isEmpty, !ignoresCase else {
            for value: UInt32 in 0..<128 where evaluate(value) { mark(value...value) }
            return
        }
        for range in ranges where range.lowerBound < 128 { mark(range) }
        if isNegated { ascii = (~ascii.low, ~ascii.high) }
    }

    private mutating func mark(_ range: ClosedRange<UInt32>) {
        for value in range.lowerBound...min(range.upperBound, 127) {
            if value < 64 { ascii.low |= 1 << value } else { ascii.high |= 1 << (value - 64) }
        }
    }

    func contains(_ value: UInt32) -> Bool {
        if value < 64 { return ascii.low >> value & 1 == 1 }
        if value < 128 { return ascii.high >> (value - 64) & 1 == 1 }
        return evaluate(value)
    }

    private func evaluate(_ value: UInt32) -> Bool {
        var found = holds(value)
        if !found, ignoresCase, let scalar = Unicode.Scalar(value) {
            found = Self.cases(of: scalar).contains { holds($0) }
        }
        return found != isNegated
    }

    private func holds(_ value: UInt32) -> Bool {
        if ranges.contains(where: { $0.contains(value) }) { return true }
        guard !categories.isEmpty, let scalar = Unicode.Scalar(value) else { return false }
        let own = Self.abbreviation(scalar.properties.generalCategory)
        return categories.contains { own.hasPrefix($0.name) != $0.isNegated }
    }

    /// The other case of a letter, by the simple mappings of Unicode.
    private static func cases(of scalar: Unicode.Scalar) -> [UInt32] {
        let properties = scalar.properties
        return [properties.lowercaseMapping, properties.uppercaseMapping].compactMap { mapping in
            mapping.unicodeScalars.count == 1 ? mapping.unicodeScalars.first?.value : nil
        }
    }
}

extension CharacterSet {
    static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    static let blanks: [ClosedRange<UInt32>] = [0x09...0x0A, 0x0C...0x0D, 0x20...0x20]
    static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]

    /// Everything that is not in `ranges`.
    static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return result
    }

    /// The classes of POSIX, as in `[[:alpha:]]`.
    static func posix(_ name: String) -> [ClosedRange<UInt32>]? {
        switch name {
        case "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A]
        case "alpha": [0x41...0x5A, 0x61...0x7A]
        case "ascii": [0x00...0x7F]
        case "blank": [0x09...0x09, 0x20...0x20]
        case "cntrl": [0x00...0x1F, 0x7F...0x7F]
        case "digit": digits
        case "graph": [0x21...0x7E]
        case "lower": [0x61...0x7A]
        case "print": [0x20...0x7E]
        case "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]
        case "space": [0x09...0x0D, 0x20...0x20]
        case "upper": [0x41...0x5A]
        case "word": word
        case "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66]
        default: nil
        }
    }

    static func isCategory(_ name: String) -> Bool {
        abbreviations.contains(name) || ["L", "M", "N", "P", "S", "Z", "C"].contains(name)
    }

    private static let abbreviations: Set<String> = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ]

    private static func abbreviation(_ category: Unicode.GeneralCategory) -> String {
        switch category {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        default: "Cn"
        }
    }
}

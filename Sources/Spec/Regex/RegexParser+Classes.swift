extension RegexParser {
    /// Reads what follows a backslash outside brackets.
    mutating func readEscape() throws(RegexError) -> RegexNode {
        switch next {
        case "A": return assertion(.textStart)
        case "z": return assertion(.textEnd)
        case "b": return assertion(.wordBoundary)
        case "B": return assertion(.noWordBoundary)
        default: break
        }
        var set = CharacterSet()
        guard let literal = try readClassEscape(into: &set) else {
            set.seal(isNegated: false, ignoresCase: flags.ignoresCase)
            return .set(set)
        }
        return self.set(of: literal)
    }

    private mutating func assertion(_ assertion: RegexAssertion) -> RegexNode {
        at += 1
        return .assertion(assertion)
    }

    /// Reads a class in brackets; the opening one is read already.
    mutating func readClass() throws(RegexError) -> CharacterSet {
        var set = CharacterSet()
        let isNegated = accept("^")
        var isFirst = true
        while isFirst || next != "]" {
            isFirst = false
            if accept("[:") {
                try readPosix(into: &set)
                continue
            }
            guard let low = try readClassItem(into: &set) else { continue }
            guard next == "-", let end = peek(1), end != "]" else {
                set.insert(low.value...low.value)
                continue
            }
            at += 1
            guard let high = try readClassItem(into: &set), low.value <= high.value else {
                throw RegexError(message: "a range of a class is the wrong way round")
            }
            set.insert(low.value...high.value)
        }
        at += 1
        set.seal(isNegated: isNegated, ignoresCase: flags.ignoresCase)
        return set
    }

    /// One character of a class; `nil` where a whole class was inserted.
    private mutating func readClassItem(
        into set: inout CharacterSet
    ) throws(RegexError) -> Unicode.Scalar? {
        guard let scalar = take() else { throw RegexError(message: "a \"]\" is missing") }
        return scalar == "\\" ? try readClassEscape(into: &set) : scalar
    }

    private mutating func readPosix(into set: inout CharacterSet) throws(RegexError) {
        let isNegated = accept("^")
        var name = ""
        while let scalar = next, scalar != ":" {
            name.unicodeScalars.append(scalar)
            at += 1
        }
        guard accept(":]"), let ranges = CharacterSet.posix(name) else {
            throw RegexError(message: "the class [:\(name):] is unknown")
        }
        set.insert(isNegated ? CharacterSet.complement(ranges) : ranges)
    }

    /// Reads an escape that stands for characters.
    /// - Returns: the character, or `nil` where a class was inserted into `set`.
    private mutating func readClassEscape(
        into set: inout CharacterSet
    ) throws(RegexError) -> Unicode.Scalar? {
        guard let scalar = take() else {
            throw RegexError(message: "a pattern ends with a backslash")
        }
        switch scalar {
        case "d": set.insert(CharacterSet.digits)
        case "D": set.insert(CharacterSet.complement(CharacterSet.digits))
        case "s": set.insert(CharacterSet.blanks)
        case "S": set.insert(CharacterSet.complement(CharacterSet.blanks))
        case "w": set.insert(CharacterSet.word)
        case "W": set.insert(CharacterSet.complement(CharacterSet.word))
        case "p", "P": try readCategory(isNegated: scalar == "P", into: &set)
        default: return try readLiteralEscape(scalar)
        }
        return nil
    }

    private mutating func readLiteralEscape(
        _ scalar: Unicode.Scalar
    ) throws(RegexError) -> Unicode.Scalar {
        switch scalar {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "f": return "\u{0C}"
        case "v": return "\u{0B}"
        case "a": return "\u{07}"
        case "x": return try readHex()
        case "1"..."9", "k": throw RegexError(message: "back-references are not supported")
        case "0": return "\0"
        case "a"..."z", "A"..."Z":
            throw RegexError(message: "the escape \\\(scalar) is unknown")
        default: return scalar
        }
    }

    private mutating func readHex() throws(RegexError) -> Unicode.Scalar {
        var digits = ""
        if accept("{") {
            while let scalar = take(), scalar != "}" { digits.unicodeScalars.append(scalar) }
        } else {
            for _ in 0..<2 { if let scalar = take() { digits.unicodeScalars.append(scalar) } }
        }
        let isHex = digits.utf8.first.map { $0 != 0x2B && $0 != 0x2D } ?? false
        guard isHex, let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value)
        else {
            throw RegexError(message: "\\x wants two hexadecimal digits, or {…}")
        }
        return scalar
    }

    private mutating func readCategory(
        isNegated: Bool, into set: inout CharacterSet
    ) throws(RegexError) {
        var name = ""
        var isNegated = isNegated
        if accept("{") {
            if accept("^") { isNegated.toggle() }
            while let scalar = take(), scalar != "}" { name.unicodeScalars.append(scalar) }
        } else if let scalar = take() {
            name.unicodeScalars.append(scalar)
        }
        guard CharacterSet.isCategory(name) else {
            throw RegexError(message: "\\p wants a general category of Unicode, as in \\p{Lu}")
        }
        set.insert(category: name, isNegated: isNegated)
    }
}

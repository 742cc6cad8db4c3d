extension ValueCodec where Value == Bool {
    static var bool: Self {
        Self(
            typeName: "bool", rangeText: "`true`, `false`", isExpandable: false, form: .bool
        ) { node, problems in
            guard case .scalar(let scalar) = node.content else {
                problems.add(node, "true or false is wanted, not \(node.kindName)")
                return nil
            }
            if !scalar.isString, scalar.text == "true" { return true }
            if !scalar.isString, scalar.text == "false" { return false }
            problems.add(node, boolHint(scalar))
            return nil
        } encode: { value, writer in
            writer.bool(value)
        }
    }

    private static func boolHint(_ scalar: Scalar) -> String {
        switch scalar.text.lowercased() {
        case "true" where scalar.isString, "false" where scalar.isString:
            "true or false is wanted, not a string; remove the quotes"
        case "true", "yes", "on", "y": "write true, not \(scalar.text)"
        case "false", "no", "off", "n": "write false, not \(scalar.text)"
        default: "true or false is wanted, not \(scalar.kindName)"
        }
    }
}

extension ValueCodec where Value == Int {
    /// A decimal number within `range`.
    static func int(_ range: ClosedRange<Int>) -> Self {
        let text = "\(grouped(range.lowerBound))-\(grouped(range.upperBound))"
        return Self(
            typeName: "int", rangeText: text, isExpandable: false, form: .int(range)
        ) { node, problems in
            guard case .scalar(let scalar) = node.content else {
                problems.add(node, "a whole number is wanted, not \(node.kindName)")
                return nil
            }
            do throws(SyntaxProblem) {
                let value = try IntText.parse(scalar)
                guard let value, range.contains(value) else {
                    problems.add(node, "\(scalar.text) is outside \(text)")
                    return nil
                }
                return value
            } catch {
                problems.add(node, error.message)
                return nil
            }
        } encode: { value, writer in
            writer.int(value)
        }
    }

    /// A number of bytes within `range`, written with a unit.
    static func size(_ range: ClosedRange<Int>) -> Self {
        let text = "\(SizeText.format(range.lowerBound))-\(SizeText.format(range.upperBound))"
        return Self(typeName: "size", rangeText: text, form: .size(range)) { node, problems in
            guard let written = node.unitText("64KiB", &problems) else { return nil }
            do throws(SyntaxProblem) {
                let value = try SizeText.parse(written)
                guard range.contains(value) else {
                    problems.add(node, "\(written) is outside \(text)")
                    return nil
                }
                return value
            } catch {
                problems.add(node, error.message)
                return nil
            }
        } encode: { value, writer in
            writer.string(SizeText.format(value))
        }
    }

    private static func grouped(_ number: Int) -> String {
        var digits = String(number)
        var at = digits.count - 3
        while at > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: at))
            at -= 3
        }
        return digits
    }
}

extension ValueCodec where Value == Duration {
    /// A duration within `range`.
    /// - Parameter zero: what `0s` means, where it is allowed outside the range.
    static func duration(_ range: ClosedRange<Duration>, zero: String? = nil) -> Self {
        let bounds =
            "\(DurationText.format(range.lowerBound))-\(DurationText.format(range.upperBound))"
        let text = bounds + (zero.map { "; `0s` = \($0)" } ?? "")
        return Self(
            typeName: "duration", rangeText: text,
            form: .duration(mayBeZero: zero != nil || range.lowerBound == .zero)
        ) { node, problems in
            guard let written = node.unitText("30s", &problems) else { return nil }
            do throws(SyntaxProblem) {
                let value = try DurationText.parse(written)
                guard range.contains(value) || (zero != nil && value == .zero) else {
                    problems.add(
                        node, "\(written) is outside \(bounds)\(zero == nil ? "" : " (or 0s)")")
                    return nil
                }
                return value
            } catch {
                problems.add(node, error.message)
                return nil
            }
        } encode: { value, writer in
            writer.string(DurationText.format(value))
        }
    }
}

extension ValueCodec where Value == String {
    /// A string without control characters that `rule` has nothing against.
    static func string(
        _ rangeText: String, typeName: String = "string", form: SchemaForm,
        rule: @escaping @Sendable (String) -> String?
    ) -> Self {
        Self(typeName: typeName, rangeText: rangeText, form: form) { node, problems in
            guard let text = node.string(&problems) else { return nil }
            if let problem = rule(text) {
                problems.add(node, problem)
                return nil
            }
            guard !CharacterRules.hasControl(text) else {
                problems.add(node, "a control character is in the string")
                return nil
            }
            return text
        } encode: { value, writer in
            writer.string(value)
        }
    }
}

extension ValueCodec
where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    static var word: Self {
        let words = Value.allCases.map(\.rawValue)
        return Self(
            typeName: "string", rangeText: words.map { "`\($0)`" }.joined(separator: ", "),
            form: .words(words)
        ) { node, problems in
            guard let text = node.string(&problems) else { return nil }
            guard let value = Value(rawValue: text) else {
                problems.add(
                    node,
                    "\"\(text.prefix(64))\" is none of \(words.joined(separator: ", "))"
                        + Suggestion.hint(text, among: words))
                return nil
            }
            return value
        } encode: { value, writer in
            writer.string(value.rawValue)
        }
    }
}

extension Node {
    /// The text of a duration or size: a string; a bare number lacks its unit.
    fileprivate func unitText(_ example: String, _ problems: inout FieldProblems) -> String? {
        if case .scalar(let scalar) = content, scalar.kind == .int || scalar.kind == .float {
            problems.add(self, "\(scalar.text) has no unit; write it as in \(example)")
            return nil
        }
        return string(&problems)
    }
}

/// Decimal integers of a manifest.
enum IntText {
    /// Reads an int; `nil` is one too large for any range.
    static func parse(_ scalar: Scalar) throws(SyntaxProblem) -> Int? {
        let text = scalar.text
        let digits = text.first == "-" ? text.dropFirst() : text[...]
        let isDecimal = !digits.isEmpty && digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        guard !scalar.isString else {
            throw isDecimal
                ? "a whole number is wanted, not a string; remove the quotes"
                : "a whole number is wanted, not a string"
        }
        if isDecimal {
            guard digits.utf8.count == 1 || digits.first != "0" else {
                throw SyntaxProblem("write \(trimmed(digits)), without the leading zero")
            }
            return Int(text)
        }
        switch scalar.kind {
        case .int, .float:
            throw SyntaxProblem(
                "\(text) is no plain whole number; write decimal digits only, as in 1000")
        case .string where digits.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F }):
            throw SyntaxProblem("write \(digits.filter { $0 != "_" }), without \"_\"")
        default:
            throw SyntaxProblem("a whole number is wanted, not \(scalar.kindName)")
        }
    }

    private static func trimmed(_ digits: Substring) -> String {
        let rest = digits.drop { $0 == "0" }
        return rest.isEmpty ? "0" : String(rest)
    }
}

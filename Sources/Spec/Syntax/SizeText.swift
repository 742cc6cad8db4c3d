/// Sizes in bytes as a manifest writes them: `512B`, `64KiB`, `1MiB`, `1GiB`.
///
/// A whole number and a unit; `Ki`, `Mi` and `Gi` mean the same as `KiB`, `MiB` and `GiB`.
package enum SizeText {
    private static let units: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("Gi", 1 << 30),
        ("Mi", 1 << 20), ("Ki", 1 << 10),
    ]

    /// Reads a size in bytes; the error is a sentence for the author.
    package static func parse(_ text: String) throws(SyntaxProblem) -> Int {
        guard text.utf8.first != UInt8(ascii: "-") else { throw "a size cannot be negative" }
        let digits = text.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard !digits.isEmpty else {
            throw "a size is a whole number and a unit, as in 512B, 64KiB or 1MiB"
        }
        let name = String(text[digits.endIndex...])
        let unit = try unit(named: name)
        guard let number = Int(String(text[..<digits.endIndex])) else {
            throw "a size is too large"
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow else { throw "a size is too large" }
        return bytes
    }

    /// Writes a size with the largest unit that divides it, so that ``parse(_:)`` reads it again.
    package static func format(_ bytes: Int) -> String {
        for (name, unit) in units.prefix(4) where bytes >= unit && bytes % unit == 0 {
            return "\(bytes / unit)\(name)"
        }
        return "\(bytes)B"
    }

    private static func unit(named name: String) throws(SyntaxProblem) -> Int {
        if let unit = units.first(where: { $0.name == name }) { return unit.bytes }
        switch name.lowercased() {
        case "": throw "a size needs a unit: B, KiB, MiB or GiB"
        case "kb", "k", "kib", "ki": throw "use KiB (1024 bytes)"
        case "mb", "m", "mib", "mi": throw "use MiB (1024 KiB)"
        case "gb", "g", "gib", "gi": throw "use GiB (1024 MiB)"
        case "b": throw "use B for bytes"
        case let other where other.hasPrefix("."):
            throw "a size is a whole number and a unit, as in 512B, 64KiB or 1MiB"
        default: throw SyntaxProblem("\"\(name)\" is no unit of size; use B, KiB, MiB or GiB")
        }
    }
}

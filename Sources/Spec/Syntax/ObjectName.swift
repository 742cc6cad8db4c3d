/// Names of objects: DNS-1123 subdomains, which are also the `id` of the API.
package enum ObjectName {
    static let maxLength = 253

    /// Says what is wrong with a name, as a sentence; `nil` where it is valid.
    ///
    /// Valid are `a-z`, `0-9`, `-` and `.`, with a letter or digit at both ends, 1 to 253 characters.
    package static func problem(_ name: String) -> String? {
        var name = name
        return name.withUTF8 { problem($0) }
    }

    private static func problem(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard let first = bytes.first, let last = bytes.last else { return "a name is empty" }
        guard bytes.count <= maxLength else { return "a name has at most 253 characters" }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."):
                continue
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                return "a name has no upper case"
            default:
                return "a name has only a-z, 0-9, \"-\" and \".\""
            }
        }
        guard isAlphanumeric(first), isAlphanumeric(last) else {
            return "a name starts and ends with a letter or digit"
        }
        return nil
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        byte != UInt8(ascii: "-") && byte != UInt8(ascii: ".")
    }
}

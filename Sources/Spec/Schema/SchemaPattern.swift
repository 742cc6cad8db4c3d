/// Regular expressions of the schema, in the part of ECMA-262 that other dialects share.
enum SchemaPattern {
    private static let control = #"\u0000-\u001f\u007f-\u009f"#
    private static let blank =
        #"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"#
    private static let tokenCharacter = "[!#$%&'*+.^_`|~0-9A-Za-z-]"

    /// No control characters.
    static let plain = "^[^\(control)]*$"
    /// A header's value (RFC 9110, section 5.5), as far as it is checked.
    static let headerValue = #"^[^\r\n\u0000]*$"#
    static let token = "^\(tokenCharacter)+$"
    static let identifier = "^[A-Za-z_][A-Za-z0-9_]*$"
    static let objectName = "^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$"
    static let topic = "^[^\(control)\(blank)]+$"
    static let size = "^[0-9]+(?:B|KiB|MiB|GiB|Ki|Mi|Gi)$"
    /// The same with a digit that is not 0.
    static let sizeAboveZero = #"^(?=[0-9]*[1-9])"# + size.dropFirst()

    /// RFC 4648, section 4, with padding and without stray bits.
    static let base64 =
        "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"

    /// Relative, and never above its directory.
    static let secretFile = #"^(?!/)(?!(?:.*/)?\.\.(?:/|$))"# + "[^\(control)]+$"

    /// From large to small, each unit once.
    static let duration: String = {
        let units = ["h", "m", "s", "ms"].map { #"(?:[0-9]+(?:\.[0-9]{1,9})?"# + "\($0))?" }
        return "^(?=.)" + units.joined() + "$"
    }()
    /// The same with a digit that is not 0.
    static let durationAboveZero = "^(?=.*[1-9])" + duration.dropFirst()

    /// As in ``JSONPath``, but for the number of segments.
    static let jsonPath: String = {
        let index = #"\[[0-9]+\]"#
        let segment = "(?:[^.\\[\(control)]+(?:\(index))*|(?:\(index))+)"
        return #"^(?!\$$)(?:\$(?=[.\[]))?\.?"# + segment + #"(?:\."# + segment + ")*$"
    }()

    /// Tokens that are not reserved for the upgrade, in any case of letters.
    static let headerName: String = {
        let reserved = ["host", "connection", "upgrade", "content-length", "transfer-encoding"]
        let words = reserved.map(anyCase).joined(separator: "|")
        return "^(?!(?:\(words))$)(?!\(anyCase("sec-websocket-")))\(tokenCharacter)+$"
    }()

    /// Any string in which a template has something to fill in.
    static let braces = #"\{\{"#

    /// The grammar of ``TemplateString``.
    static let templateText: String = {
        let variable = #"\{\{ *[A-Za-z_][A-Za-z0-9_]* *(?:\| *(?:lower|upper) *)?\}\}"#
        return #"^(?:[^{]|\{(?!\{)|\{\{\{\{|"# + variable + ")*$"
    }()

    /// A host name; an address is none.
    static let hostName = "^\(name(before: "$"))$"

    /// As in ``Endpoint``, but for the groups of an IPv6 address.
    static let url: String = {
        let end = "[:/?]|$"
        let octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
        let address = #"\[[0-9A-Fa-f:.]{2,45}\]|"# + #"(?:"# + octet + #"\.){3}"# + octet
        let port =
            "(?!0+(?:[/?]|$))(?:[0-9]{1,4}|[0-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}"
            + "|655[0-2][0-9]|6553[0-5])"
        let rest = "(?:[/?][^\(control)\(blank)#" + #"\\]*)?"#
        return "^[Ww][Ss][Ss]?://(?:\(address)|\(name(before: end)))(?::\(port))?\(rest)$"
    }()

    /// Labels with dots; the last one is no number.
    private static func name(before end: String) -> String {
        let label = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
        return "(?:\(label)" + #"\.)*(?![0-9]+\.?(?:"# + end + "))" + label + #"\.?"#
    }

    private static func anyCase(_ word: String) -> String {
        word.map { letter in
            letter.isLetter ? "[\(letter.uppercased())\(letter)]" : String(letter)
        }.joined()
    }
}

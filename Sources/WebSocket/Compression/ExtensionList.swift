/// One extension a server chose, as it stands in `Sec-WebSocket-Extensions` (RFC 6455, 9.1).
struct ExtensionChoice: Sendable, Hashable {
    struct Parameter: Sendable, Hashable {
        var name: String
        /// Nil when the parameter has none; without its quotes.
        var value: String?
    }

    var name: String
    var parameters: [Parameter]

    /// Reads the values of all headers of the name; nil when one breaks the grammar.
    ///
    /// Blanks may stand around each part. Empty elements of the list are passed over, as RFC 9110,
    /// 5.6.1 has it.
    static func list(_ values: [String]) -> [ExtensionChoice]? {
        var choices: [ExtensionChoice] = []
        for value in values {
            for element in value.split(separator: ",") {
                let text = HTTPText.trim(element)
                guard !text.isEmpty else { continue }
                guard let choice = ExtensionChoice(parsing: text) else { return nil }
                choices.append(choice)
            }
        }
        return choices
    }

    /// A quoted value must be a token once the quotes are gone, so neither a comma nor a semicolon
    /// can stand in one: what would be cut in two here breaks the grammar as well.
    private init?(parsing text: String) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
            .map { HTTPText.trim($0) }
        guard let name = parts.first, HTTPText.isToken(name) else { return nil }
        self.name = name.lowercased()
        self.parameters = []
        for part in parts.dropFirst() {
            guard let parameter = Self.parameter(part) else { return nil }
            self.parameters.append(parameter)
        }
    }

    private static func parameter(_ text: String) -> Parameter? {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            .map { HTTPText.trim($0) }
        guard let name = parts.first, HTTPText.isToken(name) else { return nil }
        guard parts.count == 2 else { return Parameter(name: name.lowercased(), value: nil) }
        var value = parts[1][...]
        if value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
            value = value.dropFirst().dropLast()
        }
        guard HTTPText.isToken(value) else { return nil }
        return Parameter(name: name.lowercased(), value: String(value))
    }
}

internal import Spec

extension ContextsFile {
    /// The text of a contexts file with another current context; comments and all else stay.
    ///
    /// - Throws: A ``CommandFailure`` where the line is not one of its own.
    static func using(_ name: String, in text: String, path: String) throws(CommandFailure)
        -> String
    {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let key = "currentContext:"
        let new = "\(key) \(quoted(name))"
        if let index = lines.firstIndex(where: { $0.hasPrefix(key) }) {
            let comment = lines[index].range(of: " #").map {
                String(lines[index][$0.lowerBound...])
            }
            lines[index] = new + (comment ?? "")
        } else {
            // After what has to stand first.
            let index = lines.firstIndex { !$0.hasPrefix("#") && !$0.hasPrefix("%") && $0 != "---" }
            lines.insert(new, at: index ?? lines.endIndex)
        }
        let edited = lines.joined(separator: "\n")
        guard let file = try? parse(Array(edited.utf8), path: path), file.current == name else {
            throw .usage(
                "\(path) is written in a way that cannot be edited: set currentContext by hand")
        }
        return edited
    }

    /// A name as a YAML scalar.
    private static func quoted(_ name: String) -> String {
        String(decoding: JSONValue.string(name).serialized(), as: UTF8.self)
    }
}

extension StringProtocol {
    /// Where a text begins in this one.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            start = index(after: start)
        }
        return nil
    }
}

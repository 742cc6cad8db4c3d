/// The limits of labels, which are the API's tags: one map, one set of limits.
package enum TagLimits {
    package static let maxCount = 50
    /// In Unicode scalars.
    package static let maxKeyLength = 128
    /// In Unicode scalars.
    package static let maxValueLength = 1024

    /// Says what is wrong with one tag, as a sentence; `nil` where it is valid.
    package static func problem(key: String, value: String) -> String? {
        guard !key.isEmpty else { return "the key of a label is empty" }
        guard key.unicodeScalars.count <= maxKeyLength else {
            return "the key of a label has at most \(maxKeyLength) characters"
        }
        guard value.unicodeScalars.count <= maxValueLength else {
            return "the value of label \"\(key)\" has at most \(maxValueLength) characters"
        }
        return nil
    }

    /// Says what is wrong with a whole map of tags; `nil` where it is valid.
    package static func problem(_ tags: [String: String]) -> String? {
        guard tags.count <= maxCount else { return "there are at most \(maxCount) labels" }
        for key in tags.keys.sorted() {
            if let problem = problem(key: key, value: tags[key] ?? "") { return problem }
        }
        return nil
    }
}

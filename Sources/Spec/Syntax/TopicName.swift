/// Names of topics.
package enum TopicName {
    static let maxLength = 256

    /// Says what is wrong with a topic, as a sentence; `nil` where it is valid.
    ///
    /// Valid are 1 to 256 characters, none of them blank or a control character.
    package static func problem(_ topic: String) -> String? {
        guard !topic.isEmpty else { return "a topic is empty; leave the field out for no topic" }
        guard topic.unicodeScalars.count <= maxLength else {
            return "a topic has at most 256 characters"
        }
        for scalar in topic.unicodeScalars {
            if CharacterRules.isControl(scalar) { return "a topic has no control characters" }
            if CharacterRules.isBlank(scalar) { return "a topic has no blanks" }
        }
        return nil
    }
}

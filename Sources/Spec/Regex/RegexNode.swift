/// A parsed pattern.
indirect enum RegexNode: Sendable {
    case empty
    case character(UInt32)
    case set(CharacterSet)
    case assertion(RegexAssertion)
    case concatenation([RegexNode])
    case alternation([RegexNode])
    /// `maximum` `nil`: without end.
    case repetition(RegexNode, minimum: Int, maximum: Int?)
}

/// A condition on a place of the text.
enum RegexAssertion: Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
}

/// Why a pattern is refused: a sentence for its author.
package struct RegexError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String

    package var description: String { message }
}

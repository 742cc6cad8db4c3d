/// Why a piece of text is not what it should be: one sentence an author or operator can act on.
///
/// It never repeats the text of a secret.
package struct SyntaxProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}

extension SyntaxProblem: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) {
        self.init(value)
    }
}

/// What an implementation does that its port's contract does not allow.
package struct ConformanceFailure: Error, CustomStringConvertible {
    package var description: String

    package init(description: String) { self.description = description }

    /// Throws unless the fact holds.
    static func check(_ fact: Bool, _ sentence: @autoclosure () -> String) throws {
        guard fact else { throw ConformanceFailure(description: sentence()) }
    }
}

/// Messages that came in a row and are kept as one thing: in a queue, in a ring, in a batch.
///
/// A run is cheap to copy and to cut; the payloads behind it are shared and copied by nobody.
package protocol MessageRun: Sendable {
    /// At least 1.
    var count: Int { get }
    /// What all of them count for, in bytes.
    var bytes: Int { get }
    /// What one of them counts for, by its place in the run.
    func bytes(at index: Int) -> Int
    /// The first so many, at least 1.
    func prefix(_ count: Int) -> Self
    /// Cuts off the first so many, and keeps at least 1.
    mutating func removeFirst(_ count: Int)
    /// How many of the first messages count for no more than so many bytes.
    func countWithin(_ limit: Int) -> Int
}

extension MessageRun {
    package func countWithin(_ limit: Int) -> Int {
        var sum = 0
        for index in 0..<count {
            sum += bytes(at: index)
            if sum > limit { return index }
        }
        return count
    }

    /// How many of the first messages count for at least so many bytes; all if all count for less.
    func countReaching(_ bytes: Int) -> Int {
        bytes > 0 ? min(count, countWithin(bytes - 1) + 1) : 0
    }

    package func part(_ range: Range<Int>) -> Self {
        var part = prefix(range.upperBound)
        if range.lowerBound > 0 { part.removeFirst(range.lowerBound) }
        return part
    }
}

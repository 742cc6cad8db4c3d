/// "Did you mean": the nearest of the known words.
package enum Suggestion {
    /// Longer words are not looked at; nobody mistypes them by a letter.
    private static let maxLength = 64

    /// ` (did you mean topic?)`, or nothing where no word is near.
    package static func hint(_ word: String, among known: [String]) -> String {
        nearest(word, among: known).map { " (did you mean \($0)?)" } ?? ""
    }

    package static func nearest(_ word: String, among known: [String]) -> String? {
        guard !word.isEmpty, word.utf8.count <= maxLength else { return nil }
        let lower = Array(word.lowercased().utf8)
        let limit = max(1, lower.count / 3)
        var best: (word: String, distance: Int)?
        for candidate in known {
            let found = distance(lower, Array(candidate.lowercased().utf8))
            guard found <= limit, found < best?.distance ?? .max else { continue }
            best = (candidate, found)
        }
        return best?.word
    }

    /// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                let cost = left[i] == right[j] ? 0 : 1
                var value = min(last[j + 1] + 1, row[j] + 1, last[j] + cost)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    value = min(value, beforeLast[j - 1] + 1)
                }
                row.append(value)
            }
            beforeLast = last
            last = row
        }
        return last[right.count]
    }
}

/// A regular expression whose time is linear in the text, whatever the pattern.
///
/// The syntax is RE2's: no back-references, no look-around. It is run as a Thompson machine that
/// follows all threads at once. Cost: text length times program size, at most 2,000 instructions.
package struct LinearRegex: Sendable {
    private let program: RegexProgram

    /// Compiles a pattern; the error is a sentence for its author.
    package init(_ pattern: String) throws(RegexError) {
        program = try RegexProgram(RegexParser.parse(pattern))
    }

    /// Whether the pattern is found anywhere in the text.
    package func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// Whether the pattern is found anywhere in UTF-8; what is none counts as U+FFFD.
    package func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var machine = RegexMachine(program)
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while true {
            let next: UInt32?
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): next = scalar.value
            case .error: next = 0xFFFD
            case .emptyInput: next = nil
            }
            if machine.step(next) { return true }
            if next == nil { return false }
        }
    }
}

/// The threads of one search.
private struct RegexMachine {
    private let program: RegexProgram
    private var threads: [Int] = []
    private var following: [Int] = []
    /// The step at which an instruction was last reached, so that none is followed twice.
    private var reached: [Int]
    private var step = 0
    private var pending: [Int] = []
    private var previous: UInt32?

    init(_ program: RegexProgram) {
        self.program = program
        reached = [Int](repeating: -1, count: program.instructions.count)
    }

    /// Moves to the place before `next` (`nil`: the end), then over it.
    /// - Returns: whether the pattern has been found.
    mutating func step(_ next: UInt32?) -> Bool {
        var isFound = false
        following.removeAll(keepingCapacity: true)
        swap(&threads, &following)
        // `following` holds where the last character led; those threads and a new one start here.
        for start in following where follow(start, next) { isFound = true }
        if !isFound, follow(0, next) { isFound = true }
        guard !isFound, let next else { return isFound }
        following.removeAll(keepingCapacity: true)
        for thread in threads {
            let isConsumed =
                switch program.instructions[thread] {
                case .character(let value): value == next
                case .set(let set): program.sets[set].contains(next)
                default: false
                }
            if isConsumed { following.append(thread + 1) }
        }
        swap(&threads, &following)
        previous = next
        step += 1
        return false
    }

    /// Follows everything that consumes nothing; adds what does to `threads`.
    private mutating func follow(_ start: Int, _ next: UInt32?) -> Bool {
        pending.append(start)
        while let at = pending.popLast() {
            guard reached[at] != step else { continue }
            reached[at] = step
            switch program.instructions[at] {
            case .match:
                pending.removeAll(keepingCapacity: true)
                return true
            case .set, .character:
                threads.append(at)
            case .jump(let target):
                pending.append(target)
            case .split(let first, let second):
                pending.append(second)
                pending.append(first)
            case .assertion(let assertion):
                if holds(assertion, next) { pending.append(at + 1) }
            }
        }
        return false
    }

    private func holds(_ assertion: RegexAssertion, _ next: UInt32?) -> Bool {
        switch assertion {
        case .textStart: previous == nil
        case .textEnd: next == nil
        case .lineStart: previous == nil || previous == 0x0A
        case .lineEnd: next == nil || next == 0x0A
        case .wordBoundary: Self.isWord(previous) != Self.isWord(next)
        case .noWordBoundary: Self.isWord(previous) == Self.isWord(next)
        }
    }

    private static func isWord(_ value: UInt32?) -> Bool {
        guard let value else { return false }
        return CharacterSet.word.contains { $0.contains(value) }
    }
}

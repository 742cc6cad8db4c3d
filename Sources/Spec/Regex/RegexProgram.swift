/// A pattern as instructions of a Thompson machine.
struct RegexProgram: Sendable {
    /// Bounds both memory and the work per character of text.
    static let maxInstructions = 2_000

    enum Instruction: Sendable {
        /// Consumes this character.
        case character(UInt32)
        /// Consumes one character of the set at this index.
        case set(Int)
        case assertion(RegexAssertion)
        case split(Int, Int)
        case jump(Int)
        case match
    }

    private(set) var instructions: [Instruction] = []
    private(set) var sets: [CharacterSet] = []

    init(_ node: RegexNode) throws(RegexError) {
        try emit(node)
        try append(.match)
    }

    private mutating func append(_ instruction: Instruction) throws(RegexError) {
        guard instructions.count < Self.maxInstructions else {
            throw RegexError(
                message: "the pattern is too large once its repetitions are written out")
        }
        instructions.append(instruction)
    }

    private mutating func emit(_ node: RegexNode) throws(RegexError) {
        switch node {
        case .empty:
            break
        case .character(let value):
            try append(.character(value))
        case .set(let set):
            sets.append(set)
            try append(.set(sets.count - 1))
        case .assertion(let assertion):
            try append(.assertion(assertion))
        case .concatenation(let items):
            for item in items { try emit(item) }
        case .alternation(let branches):
            try emit(alternation: branches)
        case .repetition(let node, let minimum, let maximum):
            try emit(node, minimum: minimum, maximum: maximum)
        }
    }

    private mutating func emit(alternation branches: [RegexNode]) throws(RegexError) {
        var ends: [Int] = []
        for branch in branches.dropLast() {
            let split = instructions.count
            try append(.match)
            try emit(branch)
            ends.append(instructions.count)
            try append(.match)
            instructions[split] = .split(split + 1, instructions.count)
        }
        if let last = branches.last { try emit(last) }
        for end in ends { instructions[end] = .jump(instructions.count) }
    }

    private mutating func emit(
        _ node: RegexNode, minimum: Int, maximum: Int?
    ) throws(RegexError) {
        // An empty round still counts against the limit, so that nested repetitions stay bounded.
        for _ in 0..<minimum { try emitRound(node) }
        guard let maximum else {
            let split = instructions.count
            try append(.match)
            try emit(node)
            try append(.jump(split))
            instructions[split] = .split(split + 1, instructions.count)
            return
        }
        var splits: [Int] = []
        for _ in minimum..<maximum {
            splits.append(instructions.count)
            try append(.match)
            try emit(node)
        }
        for split in splits { instructions[split] = .split(split + 1, instructions.count) }
    }

    private mutating func emitRound(_ node: RegexNode) throws(RegexError) {
        let before = instructions.count
        try emit(node)
        if instructions.count == before { try append(.jump(before + 1)) }
    }
}

/// How far the connected readers of one topic are.
package struct ReaderPositions: Sendable {
    package struct ID: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private var positions: [ID: UInt64] = [:]
    private var added: UInt64 = 0
    /// No reader is before it.
    private var bound = UInt64.max
    /// How many are there; with none it is to be looked for. Readers that keep up stand together.
    private var atBound = 0

    package init() {}

    package var isEmpty: Bool { positions.isEmpty }

    /// What a reader reads next. A reader that has been removed is at the end of all.
    package subscript(reader: ID) -> UInt64 { positions[reader] ?? .max }

    package mutating func add(at position: UInt64) -> ID {
        added += 1
        let reader = ID(number: added)
        positions[reader] = position
        came(to: position)
        return reader
    }

    package mutating func move(_ reader: ID, to position: UInt64) {
        guard let former = positions.updateValue(position, forKey: reader) else {
            preconditionFailure("a reader that has been removed reads")
        }
        left(former)
        came(to: position)
    }

    package mutating func remove(_ reader: ID) {
        if let former = positions.removeValue(forKey: reader) { left(former) }
    }

    private mutating func came(to position: UInt64) {
        if position < bound {
            (bound, atBound) = (position, 1)
        } else if position == bound {
            atBound += 1
        }
    }

    private mutating func left(_ position: UInt64) {
        if position == bound { atBound -= 1 }
    }

    /// What the reader that is furthest behind reads next; `nil` if there is none. Looks at all only
    /// when the last one has moved that was there.
    package mutating func first() -> UInt64? {
        if atBound == 0 {
            bound = .max
            for position in positions.values { came(to: position) }
        }
        return isEmpty ? nil : bound
    }
}

/// One value in one place, for any number of owners.
///
/// For values that are large, or nearly always the same: an owner pays for a pointer.
package final class Shared<Value: Sendable & Hashable>: Sendable, Hashable {
    package let value: Value

    @inlinable
    package init(_ value: Value) {
        self.value = value
    }

    /// Another place, for a copy that is changed: other owners keep what they have.
    @inlinable
    package func edited(_ change: (inout Value) -> Void) -> Shared {
        var edited = value
        change(&edited)
        return Shared(edited)
    }

    @inlinable
    package static func == (one: Shared, other: Shared) -> Bool {
        one === other || one.value == other.value
    }

    @inlinable
    package func hash(into hasher: inout Hasher) {
        value.hash(into: &hasher)
    }
}

/// A value that is seldom there: kept outside its owner, which pays for a pointer.
@propertyWrapper
package struct Seldom<Value: Sendable & Hashable>: Sendable, Hashable {
    @usableFromInline var shared: Shared<Value>?

    @inlinable
    package init(wrappedValue: Value?) {
        shared = wrappedValue.map(Shared.init)
    }

    @inlinable
    package var wrappedValue: Value? {
        get { shared?.value }
        set { if newValue != nil || shared != nil { shared = newValue.map(Shared.init) } }
    }
}

/// Keeps values of which many are the same once each.
package struct SharedValues<Value: Sendable & Hashable>: Sendable {
    /// So many are kept before those that nobody else holds are looked for.
    private static var fewest: Int { 64 }

    private var known: Set<Shared<Value>> = []
    private var sweepsAt = Self.fewest

    package init() {}

    package var count: Int { known.count }

    /// - Returns: The first of all that were equal to this one and are still held by somebody.
    package mutating func first(_ shared: Shared<Value>) -> Shared<Value> {
        let (isNew, first) = known.insert(shared)
        if isNew, known.count > sweepsAt { sweep() }
        return first
    }

    /// Lets go of what nobody else holds. Each time twice as many as were left may come before it
    /// is done again, so that its cost for each value is the same however many there are.
    private mutating func sweep() {
        var all = Array(known)
        known = []
        for index in all.indices where !isKnownUniquelyReferenced(&all[index]) {
            known.insert(all[index])
        }
        sweepsAt = max(Self.fewest, 2 * known.count)
    }
}

package import ManagerCore

/// What ``Plan/step(desired:observed:now:)`` decides on, of a record.
///
/// Small and without a reference, so that a hundred thousand records can be compared at one time.
package struct DesiredFacts: Sendable, Hashable {
    /// Of its uid.
    package var stamp: UUIDBytes
    package var isDialSpent: Bool
    package var isProvisional: Bool
    package var generation: Int64
    package var dialRevision: Int64

    package init(_ desired: DesiredConnection) {
        stamp = desired.uid.stamp
        generation = desired.generation
        dialRevision = desired.dialRevision
        isDialSpent = desired.isDialSpent
        isProvisional = desired.isProvisional
    }
}

/// What ``Plan/step(desired:observed:now:)`` decides on, of a connection that is there. It refers to
/// nothing either.
package struct ObservedFacts: Sendable, Hashable {
    /// Of the state, what decides.
    package enum Link: Sendable, Hashable {
        case idle
        case dialing(dialRevision: Int64)
        case open(dialRevision: Int64)
        case closing
        case down(ConnectionStateMachine.Down)

        init(_ state: ConnectionStateMachine.State) {
            switch state {
            case .idle: self = .idle
            case .dialing(let dialing): self = .dialing(dialRevision: dialing.dialRevision)
            case .open(let open): self = .open(dialRevision: open.dialRevision)
            case .closing: self = .closing
            case .down(let down): self = .down(down)
            }
        }
    }

    /// Of its uid.
    package var stamp: UUIDBytes
    package var generation: Int64
    package var link: Link
    package var isExhausted: Bool

    package init(_ facts: ConnectionFacts) {
        stamp = facts.uid.stamp
        link = Link(facts.state)
        generation = facts.generation
        isExhausted = facts.isExhausted
    }

    package init(_ observed: ObservedConnection) { self.init(observed.facts) }
}

/// A place in a table of the connections that are there.
package struct ObservedRow: Sendable {
    package var name: String
    /// `nil`: it is nobody's.
    package var facts: ObservedFacts?

    package init(name: String, facts: ObservedFacts?) {
        self.name = name
        self.facts = facts
    }
}

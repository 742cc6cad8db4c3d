package import ManagerCore

/// What ``Plan/step(desired:observed:now:)`` decides on, of a record.
///
/// Small, so that a hundred thousand records can be compared at one time.
package struct DesiredFacts: Sendable, Hashable {
    package var uid: ConnectionUID
    package var isDialSpent: Bool
    package var isProvisional: Bool
    package var generation: Int64
    package var dialRevision: Int64

    package init(_ desired: DesiredConnection) {
        uid = desired.uid
        generation = desired.generation
        dialRevision = desired.dialRevision
        isDialSpent = desired.isDialSpent
        isProvisional = desired.isProvisional
    }
}

/// What ``Plan/step(desired:observed:now:)`` decides on, of a connection that is there.
package struct ObservedFacts: Sendable, Hashable {
    /// Of the state, what decides; it refers to nothing, so a copy is one of bytes.
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

    package var uid: ConnectionUID
    package var isExhausted: Bool
    package var generation: Int64
    package var link: Link

    package init(_ observed: ObservedConnection) {
        uid = observed.uid
        link = Link(observed.state)
        generation = observed.generation
        isExhausted = observed.isExhausted
    }
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

package import ManagerCore

/// What ``Plan/step(desired:observed:now:)`` decides on, of a record.
///
/// Small, so that a hundred thousand records can be compared at one time.
package struct DesiredFacts: Sendable, Hashable {
    package var uid: ConnectionUID
    package var generation: Int64
    package var dialRevision: Int64
    package var isDialSpent: Bool
    package var isProvisional: Bool

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
    package var uid: ConnectionUID
    package var state: ConnectionStateMachine.State
    package var generation: Int64
    package var isExhausted: Bool

    package init(
        uid: ConnectionUID, state: ConnectionStateMachine.State, generation: Int64,
        isExhausted: Bool
    ) {
        self.uid = uid
        self.state = state
        self.generation = generation
        self.isExhausted = isExhausted
    }

    package init(_ observed: ObservedConnection) {
        self.init(
            uid: observed.uid, state: observed.state, generation: observed.generation,
            isExhausted: observed.isExhausted)
    }
}

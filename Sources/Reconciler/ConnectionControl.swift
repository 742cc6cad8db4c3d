package import ManagerCore

/// All that the loop may ask of the manager: what is there, and to make it as it should be.
///
/// Every call returns at once; what came of it is learnt by observing again, when the manager
/// calls ``ReconcileLoop/connectionChanged(_:)``.
package protocol ConnectionControl: Sendable {
    func observe(_ name: String) -> ObservedConnection?
    /// Of it, what a pass decides on.
    func observedFacts(_ name: String) -> ObservedFacts?
    /// Calls with everything that is there, each name once, some rows at a time; for the resync. As
    /// long as a connection is there its row has the same index, mostly.
    /// The body makes no call of this protocol: a lock may be held.
    func forEachObserved(_ body: (_ rows: ArraySlice<ObservedRow>) -> Void)
    /// Shows the connection as dialling: its one dial is being committed, and nobody who looks
    /// meanwhile may take a dial that is to begin for one that is spent.
    func expectDial(_ desired: DesiredConnection)
    /// The dial that was expected does not begin.
    func dialIsOff(_ name: String)
    /// Begins a dial with this spec.
    func open(_ desired: DesiredConnection)
    /// Closes the socket so that it is dialled again; `cause` is for people.
    func reopen(_ desired: DesiredConnection, cause: PlanStep.ReopenReason)
    /// Puts the spec in force on what is there.
    func update(_ desired: DesiredConnection)
    /// Closes the socket for good.
    func close(_ name: String)
    /// Forgets an entry that has no socket.
    func release(_ name: String)
}

/// All that the loop may ask of the records.
package protocol DesiredState: Sendable {
    func desired(_ name: String) -> DesiredConnection?
    /// Of it, what a pass decides on.
    func desiredFacts(_ name: String) -> DesiredFacts?
    /// Of every record: without the big values, for the resync.
    func desiredTable() -> DesiredTable
    /// Commits that the one dial of a connection without `autoReconnect` has begun.
    ///
    /// - Returns: the record as committed; `nil` if it is gone or could not be written, in which
    ///   case nothing may be dialled.
    func spendDial(_ name: String) async -> DesiredConnection?
    /// An unanswered Connect is open.
    func confirm(_ name: String) async -> Bool
    /// An unanswered Connect failed.
    func discard(_ name: String) async -> Bool
}

extension ConnectionControl {
    package func observedFacts(_ name: String) -> ObservedFacts? {
        observe(name).map { ObservedFacts($0) }
    }
}

extension DesiredState {
    package func desiredFacts(_ name: String) -> DesiredFacts? {
        desired(name).map { DesiredFacts($0) }
    }
}

/// One alarm that can be set again; the earlier of two settings wins.
package protocol ReconcileTimer: Sendable {
    func wake(at instant: Moment, _ body: @escaping @Sendable () -> Void)
}

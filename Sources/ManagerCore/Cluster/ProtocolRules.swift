/// Rules of the ownership protocol that the simulation can do without, to show that it notices.
///
/// Everything is on; only tests switch one off. Each name is followed by its number in the
/// protocol.
package struct ProtocolRules: Sendable, Hashable {
    /// A write whose key did not move is pending, and a frozen owner stays frozen over it (C1, C19).
    package var unmovedWritesArePending = true
    /// Records and pages whose names can come back are never deleted (C2).
    package var namesAreNeverDeleted = true
    /// The lease is measured on a clock that counts suspend (C3).
    package var leaseClockCountsSuspend = true
    /// A publish call ends within the time that the lease relation counts with (C5).
    package var publishCallsAreBounded = true
    /// Dead is decided by the slot's epoch, never by absence from the roster (C9).
    package var deathNeedsHigherSlotEpoch = true
    /// Titles are compared, not owners (C13).
    package var titlesAreCompared = true
    /// An epoch that was served and dropped is never adopted again (C14).
    package var servedEpochsAreReclaimed = true
    /// A restarted process claims anew and never goes on under a stored epoch (C15).
    package var restartsClaimAnew = true
    /// The old owner freezes before the cut-over is written (C18).
    package var ownerFreezesBeforeCutOver = true
    /// A claim of a shard that may have late writers seals it (C21).
    package var takeoversSeal = true
    /// A change is acknowledged when it was applied, not sooner (C23).
    package var acknowledgesAppliedOnly = true
    /// A change is refused if what it was made from is not there any more (decision 0030).
    package var changesNameTheirBase = true

    package init() {}

    package static let all = ProtocolRules()
}

extension ProtocolRules {
    /// Every switch with its name, for tests and for the simulation's command line.
    package static var switches: [(name: String, path: WritableKeyPath<ProtocolRules, Bool>)] {
        [
            ("unmovedWritesArePending", \.unmovedWritesArePending),
            ("namesAreNeverDeleted", \.namesAreNeverDeleted),
            ("leaseClockCountsSuspend", \.leaseClockCountsSuspend),
            ("publishCallsAreBounded", \.publishCallsAreBounded),
            ("deathNeedsHigherSlotEpoch", \.deathNeedsHigherSlotEpoch),
            ("titlesAreCompared", \.titlesAreCompared),
            ("servedEpochsAreReclaimed", \.servedEpochsAreReclaimed),
            ("restartsClaimAnew", \.restartsClaimAnew),
            ("ownerFreezesBeforeCutOver", \.ownerFreezesBeforeCutOver),
            ("takeoversSeal", \.takeoversSeal),
            ("acknowledgesAppliedOnly", \.acknowledgesAppliedOnly),
            ("changesNameTheirBase", \.changesNameTheirBase),
        ]
    }
}

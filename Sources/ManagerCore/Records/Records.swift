package import Spec

/// `wsm/conn/<name>`.
package struct ConnectionRecord: Sendable, Hashable {
    package var epoch: UInt64
    package var desired: DesiredConnection
    /// As last written behind; for people and for the first list after a restart.
    package var observed: StoredStatus?

    package init(epoch: UInt64, desired: DesiredConnection, observed: StoredStatus? = nil) {
        self.epoch = epoch
        self.desired = desired
        self.observed = observed
    }
}

/// What of a connection's status outlives the process.
package struct StoredStatus: Sendable, Hashable {
    package var phase: Phase
    package var attempt: Int
    package var connectedAt: WallTime?
    @Seldom package var lastFailure: LinkFailure? = nil
    @Seldom package var lastClose: LinkClose? = nil
    package var published: UInt64
    /// Of the life that wrote it: where the gap event after a restart begins.
    package var epoch: UInt64?

    package init(status: ConnectionStatus, epoch: UInt64) {
        self.epoch = epoch
        phase = status.phase
        attempt = status.observed.attempt
        connectedAt = status.observed.connectedAt
        lastFailure = status.observed.lastFailure
        lastClose = status.observed.lastClose
        published = status.observed.traffic.published
    }

    package init(phase: Phase, attempt: Int, published: UInt64) {
        self.phase = phase
        self.attempt = attempt
        self.published = published
    }
}

/// `wsm/connset/<name>`: a `ConnectionSet` as written, and the members it expanded to.
package struct ConnectionSetRecord: Sendable, Hashable {
    package var epoch: UInt64
    package var name: String
    package var uid: String
    package var generation: Int64
    package var createdAt: WallTime
    package var keeper: Keeper
    /// Who declares it, oldest first. A set is declared as a whole: whoever is not alone here has
    /// declared the very same.
    package var managers: [FieldOwner]
    package var labels: [String: String]
    package var annotations: [String: String]
    /// The canonical JSON of the manifest.
    package var canonical: [UInt8]
    package var digest: String
    package var members: [String]

    package init(
        epoch: UInt64, name: String, uid: String, generation: Int64, createdAt: WallTime,
        keeper: Keeper, labels: [String: String], annotations: [String: String],
        canonical: [UInt8], digest: String, members: [String], managers: [FieldOwner]? = nil
    ) {
        self.epoch = epoch
        self.name = name
        self.uid = uid
        self.generation = generation
        self.createdAt = createdAt
        self.keeper = keeper
        self.labels = labels
        self.annotations = annotations
        self.canonical = canonical
        self.digest = digest
        self.members = members
        self.managers =
            managers ?? [FieldOwner(manager: FieldManagers.standard, since: createdAt)]
    }
}

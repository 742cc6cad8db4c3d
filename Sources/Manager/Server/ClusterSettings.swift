package import ManagerCore

/// What a server is told of the cluster it is to join.
package struct ClusterSettings: Sendable {
    /// Processes of this machine share one SQLite file.
    package var isShared = false
    /// `host:port` where other members reach this one; `nil` is the bound address.
    package var advertise: String?
    package var profile = LeaseProfile.standard
    /// Share of the shards, beside the other members' weights.
    package var weight = 1
    /// Calls for connections of other members are passed on to them.
    package var forwards = true

    package init() {}

    /// - Parameter drain: of the orderly end. Hand-overs are given the longer of the two times: a
    ///   quiet feed needs seconds until its heir is ready.
    func timing(drain: Duration) -> ClusterTiming {
        var timing = profile.timing
        timing.drain = max(timing.drain, drain)
        return timing
    }

    /// - Throws: ``ServerConfiguration/Invalid`` naming the flag.
    func validate() throws(ServerConfiguration.Invalid) {
        if let fault = profile.timing.faults.first {
            throw ServerConfiguration.Invalid(
                description: "--lease-profile \(profile.rawValue): \(fault)")
        }
        guard let advertise else { return }
        let parts = advertise.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] != "" || parts.count > 2,
            let port = parts.last.flatMap({ Int($0) }), (1...65_535).contains(port)
        else {
            throw ServerConfiguration.Invalid(
                description: "--advertise is \(advertise): it must be host:port, as other members "
                    + "reach this server")
        }
    }
}

/// `--lease-profile`: the times of the ownership protocol.
package enum LeaseProfile: String, Sendable, CaseIterable {
    /// Heartbeat 2 s, lease 6 s, suspicion 10 s.
    case standard
    /// A quarter of every time: for stores that answer within tens of milliseconds.
    case fast

    package var timing: ClusterTiming {
        switch self {
        case .standard: .standard
        case .fast: .fast
        }
    }
}

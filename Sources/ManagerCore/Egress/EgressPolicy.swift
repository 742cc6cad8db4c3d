/// Whom a server may dial.
///
/// A person who may call `Connect` or write a manifest must not reach, through the server, what
/// only the server can reach. Asked with the very address a socket is about to be connected to, at
/// every dial; a name proves nothing, since what it stands for can change between two looks.
package struct EgressPolicy: Sendable, Hashable {
    /// Who asked for the connection.
    package enum Origin: Sendable, Hashable {
        /// A manifest: somebody who may declare what the server keeps.
        case manifest
        /// The gRPC call `Connect`: any client of the API.
        case api
    }

    package enum Verdict: Sendable, Hashable {
        case allowed
        /// The sentence names the address, why, and the flag that could change it.
        case refused(String)
    }

    /// `--allow-cidr`.
    package var allowedRanges: [IPRange]
    /// Both ports are reached from this host alone, and so by nobody who could not dial its
    /// loopback addresses without us.
    package var isBoundToLoopback: Bool

    package init(allowedRanges: [IPRange] = [], isBoundToLoopback: Bool) {
        self.allowedRanges = allowedRanges
        self.isBoundToLoopback = isBoundToLoopback
    }

    /// Judges an address, and every IPv4 address that stands inside it.
    package func verdict(_ address: IPAddress, origin: Origin) -> Verdict {
        let outer = address.unmapped
        if let refused = refused(address, as: outer, within: outer, origin) { return refused }
        for inner in outer.embedded {
            if let refused = refused(address, as: inner, within: outer, origin) { return refused }
        }
        return .allowed
    }

    private func refused(
        _ address: IPAddress, as inner: IPAddress, within outer: IPAddress, _ origin: Origin
    ) -> Verdict? {
        guard let reason = refusal(of: inner, within: outer, origin: origin) else { return nil }
        let name = inner == address ? "\(address)" : "\(address), which stands for \(inner),"
        return .refused("\(name) \(reason)")
    }

    /// What follows the address in the sentence; `nil` allows it.
    private func refusal(of address: IPAddress, within outer: IPAddress, origin: Origin) -> String?
    {
        let addressClass = AddressClass(address)
        // Nearly every dial is allowed: sentences are made for the others alone.
        var what: String { "is a \(addressClass.word) address" }
        if addressClass.isAlwaysRefused {
            return "\(what): such are never dialled, not even with --allow-cidr"
        }
        if allowedRanges.contains(where: { $0.contains(address) || $0.contains(outer) }) {
            return nil
        }
        var flag: String {
            "unless the server is started with --allow-cidr \(outer)/\(outer.bitWidth) or a "
                + "range around it"
        }
        switch addressClass {
        case .loopback where !isBoundToLoopback:
            return "\(what): a server that is bound beyond loopback does not dial it \(flag)"
        case .private where origin == .api, .reserved where origin == .api:
            return "\(what): Connect does not dial it \(flag) (a manifest may declare it)"
        default:
            return nil
        }
    }
}

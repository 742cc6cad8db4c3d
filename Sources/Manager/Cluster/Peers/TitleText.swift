package import ManagerCore

/// A title as it stands in the metadata of a forwarded call: five numbers.
extension Title {
    package var metadataText: String {
        "\(identity.slot).\(identity.slotEpoch).\(identity.incarnation.high)."
            + "\(identity.incarnation.low).\(shardEpoch)"
    }

    /// - Returns: `nil` for anything else.
    package init?(metadataText text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 5, let slot = Int(parts[0]), slot >= 0,
            let slotEpoch = UInt64(parts[1]), let high = UInt64(parts[2]),
            let low = UInt64(parts[3]), let shardEpoch = UInt64(parts[4])
        else { return nil }
        self.init(
            identity: Identity(
                slot: slot, slotEpoch: slotEpoch, incarnation: Incarnation(high: high, low: low)),
            shardEpoch: shardEpoch)
    }
}

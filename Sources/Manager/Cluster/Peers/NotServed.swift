package import GRPCCore
import ManagerCore

/// Nobody can do it now: UNAVAILABLE with a time to wait, and what the one who was asked knows.
package struct NotServed: Error, RPCErrorConvertible, Sendable, Hashable {
    /// Whole seconds, as in HTTP.
    package static let retryKey = "retry-after"
    /// Between instances only: ``PeerCalls`` takes them out of what a client is told.
    static let notOwnerKey = "wsm-not-owner"
    private static let titleKey = "wsm-owner-title"
    private static let instanceKey = "wsm-owner-instance"
    private static let addressKey = "wsm-owner-address"

    package var sentence: String
    /// The instance that was asked does not own it; here is who does, as far as it knows.
    package var owner: ShardOwner?

    package init(_ sentence: String, owner: ShardOwner? = nil) {
        self.sentence = sentence
        self.owner = owner
    }

    package static func unowned(_ name: String) -> NotServed {
        NotServed("no instance serves \(name) at the moment")
    }

    package static func changing(_ name: String) -> NotServed {
        NotServed(
            "\(name) is being handed over, or its instance is cut off from the state store")
    }

    package var rpcErrorCode: RPCError.Code { .unavailable }

    package var rpcErrorMessage: String {
        "\(sentence); try again in \(PeerLimits.retryAfter.components.seconds) seconds"
    }

    package var rpcErrorMetadata: Metadata {
        var metadata: Metadata = [
            Self.retryKey: "\(PeerLimits.retryAfter.components.seconds)"
        ]
        guard let owner else { return metadata }
        metadata.addString("1", forKey: Self.notOwnerKey)
        if case .other(let instance, let address, let title) = owner {
            metadata.addString(title.metadataText, forKey: Self.titleKey)
            metadata.addString(instance, forKey: Self.instanceKey)
            metadata.addString(address, forKey: Self.addressKey)
        }
        return metadata
    }

    /// What another instance answered, where it is not the owner.
    init?(answer error: RPCError) {
        guard error.code == .unavailable,
            Array(error.metadata[stringValues: Self.notOwnerKey]) == ["1"]
        else { return nil }
        func only(_ key: String) -> String? {
            let values = Array(error.metadata[stringValues: key])
            return values.count == 1 && values[0].utf8.count <= PeerLimits.longestName
                ? values[0] : nil
        }
        var owner = ShardOwner.nobody
        if let title = only(Self.titleKey).flatMap(Title.init(metadataText:)),
            let instance = only(Self.instanceKey), let address = only(Self.addressKey)
        {
            owner = .other(instance: instance, address: address, title: title)
        }
        self.init("the instance that was asked does not own it", owner: owner)
    }
}

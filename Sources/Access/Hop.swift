package import GRPCCore

/// A call that another instance passes on: for a client, whose identity travels along, or for
/// itself. It is never passed on again.
///
/// All of it is private metadata: ``AccessInterceptor`` takes it out of every call whose sender has
/// not proven to be a peer.
package struct Hop: Sendable, Hashable {
    package static let metadataKey = "wsm-hop"
    package static let titleKey = "wsm-title"
    /// Longest title taken over, in characters; it is five numbers.
    static let longestTitle = 128

    /// The title under which the sender wants the call done, as the sender writes it; `nil` wants
    /// what this instance has, whatever it is.
    package var title: String?

    package init(title: String? = nil) {
        self.title = title
    }

    /// The hop of the call that this task serves; `nil` for a call that a client made here.
    @TaskLocal package static var current: Hop?

    /// - Returns: `nil` unless the metadata says so exactly once.
    init?(metadata: Metadata) {
        guard Array(metadata[stringValues: Self.metadataKey]) == ["1"] else { return nil }
        let titles = Array(metadata[stringValues: Self.titleKey])
        guard titles.count <= 1, (titles.first?.utf8.count ?? 0) <= Self.longestTitle else {
            return nil
        }
        title = titles.first
    }

    /// What a peer sends along.
    package var metadata: [(key: String, value: String)] {
        [(Self.metadataKey, "1")] + (title.map { [(Self.titleKey, $0)] } ?? [])
    }

    /// Takes out of a call what only peers and the gateway may say.
    static func strip(_ metadata: inout Metadata) {
        for key in [metadataKey, titleKey, Caller.metadataKey] {
            metadata.removeAllValues(forKey: key)
        }
    }
}

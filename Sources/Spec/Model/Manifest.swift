/// The kinds of object a manifest can declare.
package enum ObjectKind: String, Sendable, Hashable, CaseIterable {
    case connection = "Connection"
    case connectionSet = "ConnectionSet"

    /// One sentence for people.
    package var summary: String {
        switch self {
        case .connection: "One outbound WebSocket connection, kept as declared."
        case .connectionSet: "Many connections that differ by the values of a few variables."
        }
    }
}

/// What a person writes beside the spec.
package struct Metadata: Sendable, Hashable {
    package var name: String
    package var labels: [String: String]
    package var annotations: [String: String]
    /// Given in a file: must match the stored one, else a conflict.
    package var resourceVersion: String?

    package init(
        name: String, labels: [String: String] = [:], annotations: [String: String] = [:],
        resourceVersion: String? = nil
    ) {
        self.name = name
        self.labels = labels
        self.annotations = annotations
        self.resourceVersion = resourceVersion
    }

    /// `wsm.virtufin.com/prune: disabled`: a prune skips and names the object.
    package static let pruneAnnotation = "wsm.virtufin.com/prune"
    /// On a member of a set: the name of its `ConnectionSet`.
    package static let connectionSetAnnotation = "wsm.virtufin.com/connection-set"

    package var isProtectedFromPrune: Bool { annotations[Self.pruneAnnotation] == "disabled" }
}

/// One compiled `Connection`, or one member of a compiled `ConnectionSet`.
package struct ConnectionManifest: Sendable, Hashable {
    package var metadata: Metadata
    package var spec: ConnectionSpec
    /// The paths the author wrote (`topic`, `keepalive.pingInterval`, `headers`, …), without
    /// `spec.`. A field that is not here was left to its default and may be set by API calls.
    package var declared: Set<String>

    package init(metadata: Metadata, spec: ConnectionSpec, declared: Set<String>) {
        self.metadata = metadata
        self.spec = spec
        self.declared = declared
    }
}

/// One compiled `ConnectionSet`: what was written, in canonical JSON, and the members it means.
package struct ConnectionSetManifest: Sendable, Hashable {
    package var metadata: Metadata
    package var members: [ConnectionManifest]

    package init(metadata: Metadata, members: [ConnectionManifest]) {
        self.metadata = metadata
        self.members = members
    }
}

package import Spec

/// Who keeps an object: the apply set it came with, or the imperative API.
package enum Keeper: Sendable, Hashable, CustomStringConvertible {
    case applySet(String)
    case grpc

    package var description: String {
        switch self {
        case .applySet(let name): "set \(name)"
        case .grpc: "grpc"
        }
    }
}

/// One connection as it should be.
package struct DesiredConnection: Sendable, Hashable {
    package var name: String
    /// Drawn at creation; a name used again gets a new one.
    package var uid: ConnectionUID
    /// +1 at every change that is one after defaults are filled in.
    package var generation: Int64
    /// +1 whenever an edit needs a new socket. A socket with a lower one is out of date.
    package var dialRevision: Int64
    /// The dial revision whose one dial is begun, where `autoReconnect` is off.
    package var spentDialRevision: Int64 = 0
    package var createdAt: WallTime
    package var keeper: Keeper
    /// The `ConnectionSet` it is a member of.
    package var connectionSet: String?
    package var labels: [String: String]
    package var annotations: [String: String]
    package var spec: ConnectionSpec
    /// The paths the manifest declares; the rest may be set by API calls.
    package var declared: Set<String>
    package var overlay = Overlay()
    /// Stored by a Connect that has not been answered yet: a restart removes it.
    package var isProvisional = false

    /// What API calls set where the manifest declares nothing.
    package struct Overlay: Sendable, Hashable {
        package var topic: String?
        package var labels: [String: String] = [:]

        package init() {}
    }

    package init(
        name: String, uid: ConnectionUID, createdAt: WallTime, keeper: Keeper, spec: ConnectionSpec,
        declared: Set<String> = [], labels: [String: String] = [:],
        annotations: [String: String] = [:], connectionSet: String? = nil
    ) {
        self.name = name
        self.uid = uid
        generation = 1
        dialRevision = 1
        self.createdAt = createdAt
        self.keeper = keeper
        self.connectionSet = connectionSet
        self.labels = labels
        self.annotations = annotations
        self.spec = spec
        self.declared = declared
    }

    /// The manifest's spec with what API calls added.
    package var effectiveSpec: ConnectionSpec {
        guard let topic = overlay.topic, !declared.contains("topic") else { return spec }
        var effective = spec
        effective.topic = topic
        return effective
    }

    package var effectiveTopic: String? {
        declared.contains("topic") ? spec.topic : overlay.topic ?? spec.topic
    }

    /// The API's tags: the manifest's labels, and those API calls added beside them.
    package var effectiveLabels: [String: String] {
        overlay.labels.merging(labels) { _, declared in declared }
    }

    /// `autoReconnect` is off and this revision's one dial has begun.
    package var isDialSpent: Bool {
        !spec.autoReconnect && spentDialRevision >= dialRevision
    }
}

extension DesiredConnection {
    /// Takes over a new declaration of the same object.
    ///
    /// - Returns: the fields whose effective value changed, in table order; empty means that
    ///   nothing changed and the generation stays.
    package mutating func redeclare(_ manifest: ConnectionManifest) -> [FieldChange] {
        let before = self
        spec = manifest.spec
        declared = manifest.declared
        labels = manifest.metadata.labels
        annotations = manifest.metadata.annotations
        return settle(since: before)
    }

    /// Counts the generation and the dial revision on, if what is effective differs from `before`.
    package mutating func settle(since before: DesiredConnection) -> [FieldChange] {
        var changes = SpecDiff.changes(from: before.effectiveSpec, to: effectiveSpec)
        changes += Self.mapChanges(
            "metadata.labels", before.effectiveLabels, effectiveLabels)
        changes += Self.mapChanges("metadata.annotations", before.annotations, annotations)
        guard !changes.isEmpty else { return [] }
        generation = before.generation + 1
        if SpecDiff.effect(of: changes) >= .reopen { dialRevision = before.dialRevision + 1 }
        return changes
    }

    private static func mapChanges(
        _ path: String, _ old: [String: String], _ new: [String: String]
    ) -> [FieldChange] {
        guard old != new else { return [] }
        return Set(old.keys).union(new.keys).sorted().compactMap { key in
            guard old[key] != new[key] else { return nil }
            return FieldChange(
                path: "\(path)[\(key)]", old: old[key], new: new[key], effect: .keep)
        }
    }
}

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
///
/// A pointer: the record, the connection and whoever passes it on have the same copy.
package struct DesiredConnection: Sendable, Hashable {
    private var fields: Shared<Fields>

    private struct Fields: Sendable, Hashable {
        var name: String
        var uid: ConnectionUID
        var generation: Int64 = 1
        var dialRevision: Int64 = 1
        var spentDialRevision: Int64 = 0
        var spec: ConnectionSpec
        var provenance: Shared<Provenance>
    }

    /// Where it comes from and what was said beside the spec: the members of one set nearly always
    /// have the same, so each holds a pointer to it.
    package struct Provenance: Sendable, Hashable {
        package var createdAt: WallTime
        package var keeper: Keeper
        package var connectionSet: String?
        package var labels: [String: String]
        package var annotations: [String: String]
        package var declared: Set<String>
        package var managers: FieldManagers
        package var overlay = Overlay()
        package var isProvisional = false
    }

    /// What API calls set where the manifest declares nothing.
    package struct Overlay: Sendable, Hashable {
        package var topic: String?
        package var labels: [String: String] = [:]
        /// When a field was set, by path; what is not here came with the connection.
        package var setAt: [String: WallTime] = [:]

        package init() {}
    }

    package init(
        name: String, uid: ConnectionUID, createdAt: WallTime, keeper: Keeper, spec: ConnectionSpec,
        declared: Set<String> = [], labels: [String: String] = [:],
        annotations: [String: String] = [:], connectionSet: String? = nil,
        managers: FieldManagers? = nil
    ) {
        let provenance = Provenance(
            createdAt: createdAt, keeper: keeper, connectionSet: connectionSet, labels: labels,
            annotations: annotations, declared: declared,
            managers: managers ?? .ofOldRecord(keeper, createdAt: createdAt))
        fields = Shared(
            Fields(name: name, uid: uid, spec: spec, provenance: Shared(provenance)))
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

// MARK: Fields

extension DesiredConnection {
    /// Keeps what it has in common with others where equal values are kept already.
    package mutating func share(
        settings: inout SharedValues<ConnectionSpec.Settings>,
        provenances: inout SharedValues<Provenance>
    ) {
        var spec = spec
        let provenance = provenances.first(fields.value.provenance)
        let isMoved = spec.share(in: &settings)
        // One that shares already stays the very copy that others hold.
        guard isMoved || provenance !== fields.value.provenance else { return }
        edit {
            $0.spec = spec
            $0.provenance = provenance
        }
    }

    private mutating func edit(_ change: (inout Fields) -> Void) {
        fields = fields.edited(change)
    }

    private var provenance: Provenance { fields.value.provenance.value }

    private mutating func edit<Part: Equatable>(
        _ part: WritableKeyPath<Provenance, Part>, _ value: Part
    ) {
        guard provenance[keyPath: part] != value else { return }
        edit { $0.provenance = $0.provenance.edited { $0[keyPath: part] = value } }
    }

    package var name: String {
        get { fields.value.name }
        set { edit { $0.name = newValue } }
    }

    /// Drawn at creation; a name used again gets a new one.
    package var uid: ConnectionUID {
        get { fields.value.uid }
        set { edit { $0.uid = newValue } }
    }

    /// +1 at every change that is one after defaults are filled in.
    package var generation: Int64 {
        get { fields.value.generation }
        set { edit { $0.generation = newValue } }
    }

    /// +1 whenever an edit needs a new socket. A socket with a lower one is out of date.
    package var dialRevision: Int64 {
        get { fields.value.dialRevision }
        set { edit { $0.dialRevision = newValue } }
    }

    /// The dial revision whose one dial is begun, where `autoReconnect` is off.
    package var spentDialRevision: Int64 {
        get { fields.value.spentDialRevision }
        set { edit { $0.spentDialRevision = newValue } }
    }

    package var spec: ConnectionSpec {
        get { fields.value.spec }
        set { edit { $0.spec = newValue } }
    }

    package var createdAt: WallTime {
        get { provenance.createdAt }
        set { edit(\.createdAt, newValue) }
    }

    package var keeper: Keeper {
        get { provenance.keeper }
        set { edit(\.keeper, newValue) }
    }

    /// The `ConnectionSet` it is a member of.
    package var connectionSet: String? {
        get { provenance.connectionSet }
        set { edit(\.connectionSet, newValue) }
    }

    package var labels: [String: String] {
        get { provenance.labels }
        set { edit(\.labels, newValue) }
    }

    package var annotations: [String: String] {
        get { provenance.annotations }
        set { edit(\.annotations, newValue) }
    }

    /// The paths the manifest declares; the rest may be set by API calls.
    package var declared: Set<String> {
        get { provenance.declared }
        set { edit(\.declared, newValue) }
    }

    /// Who declares which of them.
    package var managers: FieldManagers {
        get { provenance.managers }
        set { edit(\.managers, newValue) }
    }

    package var overlay: Overlay {
        get { provenance.overlay }
        set { edit(\.overlay, newValue) }
    }

    /// Stored by a Connect that has not been answered yet: a restart removes it.
    package var isProvisional: Bool {
        get { provenance.isProvisional }
        set { edit(\.isProvisional, newValue) }
    }
}

extension FieldManagers {
    /// Of a record that does not tell them: an apply without a name of its own, or calls.
    package static func ofOldRecord(_ keeper: Keeper, createdAt: WallTime) -> FieldManagers {
        FieldManagers(
            sole: FieldOwner(manager: keeper == .grpc ? grpc : standard, since: createdAt))
    }
}

extension DesiredConnection {
    /// What its managers declare together, without what API calls added.
    package var declaredManifest: ConnectionManifest {
        ConnectionManifest(
            metadata: Metadata(name: name, labels: labels, annotations: annotations), spec: spec,
            declared: declared)
    }

    /// Since when a field has the value that an API call set.
    package func overlayOwner(of path: String) -> FieldOwner {
        FieldOwner(manager: FieldManagers.grpc, since: overlay.setAt[path] ?? createdAt)
    }

    /// The fields that API calls set and that are in force, or share their value with a manifest.
    package var overlayPaths: [String] {
        var paths: [String] = []
        if let topic = overlay.topic, !declared.contains("topic") || spec.topic == topic {
            paths.append("topic")
        }
        for (key, value) in overlay.labels where labels[key] ?? value == value {
            paths.append(MetadataPath.label(key))
        }
        return paths.sorted()
    }

    /// An API call sets its topic; `nil` takes it away.
    package mutating func setTopic(_ topic: String?, at now: WallTime) {
        guard overlay.topic != topic else { return }
        overlay.topic = topic
        overlay.setAt["topic"] = topic == nil ? nil : now
    }

    /// An API call sets the tags that no manifest declares.
    package mutating func setTags(_ tags: [String: String], at now: WallTime) {
        for key in Set(tags.keys).union(overlay.labels.keys)
        where tags[key] != overlay.labels[key] {
            overlay.setAt[MetadataPath.label(key)] = tags[key] == nil ? nil : now
        }
        overlay.labels = tags
    }

    /// Takes over a new declaration of the same object.
    ///
    /// - Parameter before: what it was before anything else was changed; `nil` is as it is now.
    /// - Returns: the fields whose effective value changed, in table order; empty means that
    ///   nothing changed and the generation stays.
    package mutating func redeclare(
        _ manifest: ConnectionManifest, since before: DesiredConnection? = nil
    ) -> [FieldChange] {
        let before = before ?? self
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

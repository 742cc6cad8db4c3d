package import Spec

/// One manager's declaration of an object laid over what others declare of it.
///
/// Pure. What the manager declares is its; what it declared before and no longer does falls back to
/// the default; what others declare and it says nothing of stays. A field that another manager gave
/// another value is a conflict, unless the manager takes over. Equal values are shared.
package struct FieldMerge: Sendable {
    /// A field that somebody else gave another value.
    package struct Conflict: Sendable, Hashable {
        package var path: String
        package var owner: FieldOwner

        package init(path: String, owner: FieldOwner) {
            self.path = path
            self.owner = owner
        }
    }

    /// How the declaration is meant.
    package struct Mode: Sendable, Hashable {
        /// Conflicts are decided in favour of this manager.
        package var takesOver = false
        /// The declaration is all there is to be: a field that only others declare is a conflict
        /// too, and with ``takesOver`` it is dropped. So a rollback leaves what the revision had.
        package var isWhole = false

        package init(takesOver: Bool = false, isWhole: Bool = false) {
            self.takesOver = takesOver
            self.isWhole = isWhole
        }
    }

    /// Sorted by path; empty with ``Mode/takesOver``.
    package private(set) var conflicts: [Conflict] = []
    /// What is declared of the object now, by all managers together.
    package private(set) var manifest: ConnectionManifest
    package private(set) var managers: FieldManagers
    package private(set) var overlay: DesiredConnection.Overlay
    /// Values of others were put into ``manifest``, whose relations nobody has checked together.
    package private(set) var keepsForeignFields = false

    private let present: DesiredConnection
    private let mode: Mode
    private let owner: FieldOwner

    package init(
        _ declared: ConnectionManifest, into present: DesiredConnection, by owner: FieldOwner,
        mode: Mode = Mode()
    ) {
        manifest = declared
        managers = present.managers
        overlay = present.overlay
        self.present = present
        self.mode = mode
        self.owner = owner
        mergeOverlay()
        if present.managers.isOnly(owner.manager), isUnchanged { return }
        mergeManagers(declaredPaths: declared.declaredPaths)
        conflicts.sort { ($0.path, $0.owner.manager) < ($1.path, $1.owner.manager) }
    }

    /// The manifest says what it said before.
    private var isUnchanged: Bool {
        manifest.declared == present.declared && manifest.spec == present.spec
            && manifest.metadata.labels == present.labels
            && manifest.metadata.annotations == present.annotations
    }

    // MARK: What API calls set

    private mutating func mergeOverlay() {
        if let topic = overlay.topic, !present.declared.contains("topic"),
            manifest.declared.contains("topic"), manifest.spec.topic != topic
        {
            if mode.takesOver { overlay.topic = nil }
            conflict("topic", present.overlayOwner(of: "topic"))
        }
        for (key, value) in overlay.labels where present.labels[key] == nil {
            guard let declared = manifest.metadata.labels[key], declared != value else { continue }
            if mode.takesOver { overlay.labels[key] = nil }
            let path = MetadataPath.label(key)
            conflict(path, present.overlayOwner(of: path))
        }
    }

    private mutating func conflict(_ path: String, _ other: FieldOwner) {
        guard !mode.takesOver else { return }
        conflicts.append(Conflict(path: path, owner: other))
    }

    // MARK: What other managers declare

    private mutating func mergeManagers(declaredPaths paths: Set<String>) {
        let before = present.managers.owners(of: present.declaredManifest.declaredPaths)
        var after: [String: [FieldOwner]] = [:]
        for path in paths { after[path] = owners(of: path, before: before[path] ?? []) }
        for (path, owners) in before where !paths.contains(path) {
            let others = owners.filter { $0.manager != owner.manager }
            guard let first = others.first else { continue }
            if mode.isWhole {
                conflict(path, first)
            } else {
                keep(path)
                after[path] = others
            }
        }
        managers = FieldManagers(after)
    }

    /// Who has a field that is declared now.
    private mutating func owners(of path: String, before: [FieldOwner]) -> [FieldOwner] {
        let others = before.filter { $0.manager != owner.manager }
        let mine = before.first { $0.manager == owner.manager }
        guard !before.isEmpty, !hasSameValue(path) else { return others + [mine ?? owner] }
        for other in others { conflict(path, other) }
        return [owner]
    }

    private func hasSameValue(_ path: String) -> Bool {
        if let field = FieldTable.field(at: path) {
            return field.hasSameValue(manifest.spec, present.spec)
        }
        if let key = Self.key(of: path, in: "metadata.labels[") {
            return manifest.metadata.labels[key] == present.labels[key]
        }
        if let key = Self.key(of: path, in: "metadata.annotations[") {
            return manifest.metadata.annotations[key] == present.annotations[key]
        }
        return false
    }

    /// Leaves a field as others have it.
    private mutating func keep(_ path: String) {
        keepsForeignFields = true
        if let field = FieldTable.field(at: path) {
            field.copyValue(from: present.spec, to: &manifest.spec)
            manifest.declared.insert(path)
        } else if let key = Self.key(of: path, in: "metadata.labels[") {
            manifest.metadata.labels[key] = present.labels[key]
        } else if let key = Self.key(of: path, in: "metadata.annotations[") {
            manifest.metadata.annotations[key] = present.annotations[key]
        }
    }

    private static func key(of path: String, in map: String) -> String? {
        path.hasPrefix(map) ? String(path.dropFirst(map.count).dropLast()) : nil
    }
}

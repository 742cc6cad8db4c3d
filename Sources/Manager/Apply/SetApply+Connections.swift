import ManagerCore
import Spec

extension SetApply {
    mutating func apply(_ manifest: ConnectionManifest, origin: CompiledObject) {
        var result = change(manifest, connectionSet: nil)
        result.origin = origin.position.file
        outcome.results.append(result)
        if result.action != .conflict,
            draft.connection(manifest.metadata.name)?
                .desired.connectionSet == nil
        {
            set.connections.insert(manifest.metadata.name)
        }
    }

    mutating func change(
        _ declared: ConnectionManifest, connectionSet: String?
    ) -> ApplyResult {
        var manifest = declared
        // Shown from `connectionSet`; kept once, so that what is shown can be applied again.
        manifest.metadata.annotations[Metadata.connectionSetAnnotation] = nil
        guard let record = draft.connection(manifest.metadata.name) else {
            return create(manifest, connectionSet: connectionSet)
        }
        var result = ApplyResult(
            kind: .connection, name: manifest.metadata.name, action: .conflict)
        result.connectionSet = connectionSet
        result.uid = record.desired.uid.rawValue
        result.generationBefore = record.desired.generation
        if let sentence = conflict(record.desired, manifest, connectionSet: connectionSet) {
            result.message = sentence
        } else {
            configure(record, manifest, connectionSet: connectionSet, &result)
        }
        return result
    }

    private mutating func create(
        _ manifest: ConnectionManifest, connectionSet: String?
    ) -> ApplyResult {
        let desired = DesiredConnection(
            name: manifest.metadata.name,
            uid: draft.uid(ofNew: .connection(manifest.metadata.name), makeUID), createdAt: now,
            keeper: keeper,
            spec: manifest.spec, declared: manifest.declared, labels: manifest.metadata.labels,
            annotations: manifest.metadata.annotations, connectionSet: connectionSet,
            managers: FieldManagers(sole: owner))
        draft.put(ConnectionRecord(epoch: draft.epoch, desired: desired))
        var result = ApplyResult(kind: .connection, name: desired.name, action: .created)
        result.connectionSet = connectionSet
        result.uid = desired.uid.rawValue
        result.generation = desired.generation
        return result
    }

    private mutating func configure(
        _ record: ConnectionRecord, _ manifest: ConnectionManifest, connectionSet: String?,
        _ result: inout ApplyResult
    ) {
        var record = record
        let before = record.desired
        let isAdopted = before.keeper != keeper
        var merged = manifest
        if isAdopted {
            // With the object come its fields.
            record.desired.managers = FieldManagers(sole: owner)
        } else {
            guard let manifest = merge(manifest, into: &record.desired, &result) else { return }
            merged = manifest
        }
        // A member written out by itself and unchanged, as `get -o yaml | apply` does, stays one.
        let staysMember = connectionSet == nil && before.connectionSet.map(stays) ?? false
        if !staysMember { record.desired.connectionSet = connectionSet }
        record.desired.keeper = keeper
        record.desired.isProvisional = false
        result.changes = record.desired.redeclare(merged, since: before)
        result.effect = SpecDiff.effect(of: result.changes)
        result.generation = record.desired.generation
        result.action = isAdopted ? .adopted : result.changes.isEmpty ? .unchanged : .configured
        if record.desired != before { draft.put(record) }
        if isAdopted {
            take(from: before.keeper) { $0.connections.remove(before.name) != nil }
        }
    }

    /// Lays the manifest over what other managers declare.
    ///
    /// - Returns: what is declared now; `nil` where it is a conflict, which `result` tells.
    private mutating func merge(
        _ manifest: ConnectionManifest, into desired: inout DesiredConnection,
        _ result: inout ApplyResult
    ) -> ConnectionManifest? {
        let isRollback = options.rollbackTo != nil
        let merge = FieldMerge(
            manifest, into: desired, by: owner,
            mode: FieldMerge.Mode(takesOver: options.forceConflicts, isWhole: isRollback))
        guard merge.conflicts.isEmpty else {
            result.fieldConflicts = merge.conflicts
            result.message = ApplySentences.fieldConflicts(
                merge.conflicts, isRollback: isRollback)
            return nil
        }
        desired.managers = shared(merge.managers)
        desired.overlay = merge.overlay
        guard merge.keepsForeignFields else { return merge.manifest }
        let compilation = ManifestCompiler.compileJSON(
            ManifestRenderer.json(merge.manifest), name: manifest.metadata.name)
        guard !compilation.hasErrors, case .connection(let whole)? = compilation.objects.first?.body
        else {
            result.message = ApplySentences.doNotGoTogether(compilation.diagnostics)
            return nil
        }
        return whole
    }

    /// Why the object may not be changed; the sentence says what can be done.
    private func conflict(
        _ present: DesiredConnection, _ manifest: ConnectionManifest, connectionSet: String?
    ) -> String? {
        if let given = manifest.metadata.resourceVersion, given != "\(present.generation)" {
            return ApplySentences.staleResourceVersion(given, present: present.generation)
        }
        if present.keeper != keeper, !options.adopt {
            return belongsToAnother(
                present.keeper, since: present.managers.since ?? present.createdAt)
        }
        if let owner = present.connectionSet, connectionSet == nil, stays(owner) {
            var copy = present
            if !copy.redeclare(manifest).isEmpty {
                return "it is a member of ConnectionSet \(owner): change the set, or remove it "
                    + "from the set in the same apply"
            }
        }
        return nil
    }

    func belongsToAnother(_ keeper: Keeper, since: WallTime) -> String {
        var owner: ApplySetRecord?
        if case .applySet(let name) = keeper { owner = draft.applySet(name) }
        return ApplySentences.belongsToAnother(keeper, since: since, owner: owner)
    }

    mutating func delete(connection name: String, of connectionSet: String?) {
        guard let record = draft.connection(name) else { return }
        var result = ApplyResult(kind: .connection, name: name, action: .pruned)
        result.connectionSet = connectionSet
        result.uid = record.desired.uid.rawValue
        result.generationBefore = record.desired.generation
        result.effect = .close
        draft.removeConnection(name)
        outcome.results.append(result)
    }
}

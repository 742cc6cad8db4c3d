import Crypto
package import ManagerCore
package import Spec

/// One apply of one set over a draft: what is created, changed, adopted, pruned or refused.
///
/// Pure: the same draft and input give the same outcome, so a plan is an apply whose draft is
/// thrown away. Each object is changed whole or not at all.
package struct SetApply {
    private var draft: StoreDraft
    private let options: ApplyOptions
    private let now: WallTime
    private let makeUID: () -> ConnectionUID
    private var set: ApplySetRecord
    private var outcome = ApplyOutcome()
    /// Names the input declares.
    private var inputConnections: Set<String> = []
    private var inputSets: Set<String> = []
    /// Of all connections of the input, members among them.
    private var inputNames: Set<String> = []
    /// ConnectionSets that this apply prunes.
    private var leavingSets: Set<String> = []
    /// How many of the latest results are of members of the set being applied.
    private var resultsOfMembers = 0

    /// - Returns: the draft with the changes, and what they are.
    /// - Throws: ``PruneRefused``.
    package static func run(
        _ objects: [CompiledObject], on draft: inout StoreDraft, options: ApplyOptions,
        now: WallTime, makeUID: () -> ConnectionUID
    ) throws -> ApplyOutcome {
        try withoutActuallyEscaping(makeUID) { makeUID in
            var apply = SetApply(draft: draft, options: options, now: now, makeUID: makeUID)
            try apply.run(objects)
            draft = apply.draft
            return apply.outcome
        }
    }

    private init(
        draft: StoreDraft, options: ApplyOptions, now: WallTime,
        makeUID: @escaping () -> ConnectionUID
    ) {
        self.draft = draft
        self.options = options
        self.now = now
        self.makeUID = makeUID
        set =
            draft.applySet(options.set)
            ?? ApplySetRecord(
                epoch: draft.epoch, name: options.set, uid: makeUID().rawValue)
    }

    private mutating func run(_ objects: [CompiledObject]) throws {
        for object in objects {
            switch object.kind {
            case .connection: inputConnections.insert(object.metadata.name)
            case .connectionSet: inputSets.insert(object.metadata.name)
            }
            inputNames.formUnion(object.connections.map(\.metadata.name))
        }
        let victims = options.prune ? try pruneVictims() : []
        for case .connectionSet(let name) in victims where !isProtected(.connectionSet(name)) {
            leavingSets.insert(name)
        }
        for object in objects {
            switch object.body {
            case .connection(let manifest): apply(manifest, origin: object)
            case .connectionSet(let manifest): apply(manifest, object)
            }
        }
        for victim in victims { prune(victim) }
        recordRevision(objects)
    }

    private var keeper: Keeper { .applySet(options.set) }

    /// The set's history grows by one, if anything changed.
    private mutating func recordRevision(_ objects: [CompiledObject]) {
        defer { outcome.revision = set.revision }
        guard !outcome.changesNothing else { return }
        var hash = SHA256()
        for line in objects.map({ "\($0.kind.rawValue)/\($0.metadata.name) \($0.digest)\n" })
            .sorted()
        {
            hash.update(data: Array(line.utf8))
        }
        let digest = hash.finalize().map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
        set.append(
            ApplySetRecord.Revision(
                number: set.revision + 1, digest: digest, by: options.appliedBy, at: now,
                summary: "\(outcome.count(.created)) created, "
                    + "\(outcome.count(.configured)) configured, "
                    + "\(outcome.count(.pruned)) pruned"))
        draft.put(set)
    }
}

// MARK: Connections

extension SetApply {
    private mutating func apply(_ manifest: ConnectionManifest, origin: CompiledObject) {
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

    private mutating func change(
        _ declared: ConnectionManifest, connectionSet: String?
    ) -> ApplyResult {
        var manifest = declared
        // Shown from `connectionSet`; kept once, so that what is shown can be applied again.
        manifest.metadata.annotations[Metadata.connectionSetAnnotation] = nil
        let name = manifest.metadata.name
        var result = ApplyResult(kind: .connection, name: name, action: .created)
        result.connectionSet = connectionSet
        guard var record = draft.connection(name) else {
            let desired = DesiredConnection(
                name: name, uid: makeUID(), createdAt: now, keeper: keeper, spec: manifest.spec,
                declared: manifest.declared, labels: manifest.metadata.labels,
                annotations: manifest.metadata.annotations, connectionSet: connectionSet)
            draft.put(ConnectionRecord(epoch: draft.epoch, desired: desired))
            result.uid = desired.uid.rawValue
            result.generation = desired.generation
            return result
        }
        if let sentence = conflict(record.desired, manifest, connectionSet: connectionSet) {
            result.action = .conflict
            result.message = sentence
            return result
        }
        let before = record.desired
        // A member written out by itself and unchanged, as `get -o yaml | apply` does, stays one.
        let staysMember = connectionSet == nil && before.connectionSet.map(stays) ?? false
        if !staysMember { record.desired.connectionSet = connectionSet }
        record.desired.keeper = keeper
        record.desired.isProvisional = false
        result.changes = record.desired.redeclare(manifest)
        result.effect = SpecDiff.effect(of: result.changes)
        result.uid = record.desired.uid.rawValue
        result.generation = record.desired.generation
        result.action =
            before.keeper != keeper ? .adopted : result.changes.isEmpty ? .unchanged : .configured
        if record.desired != before { draft.put(record) }
        if before.keeper != keeper { takeFrom(before.keeper, connection: name) }
        return result
    }

    /// Why the object may not be changed; the sentence says what can be done.
    private func conflict(
        _ present: DesiredConnection, _ manifest: ConnectionManifest, connectionSet: String?
    ) -> String? {
        if let given = manifest.metadata.resourceVersion, given != "\(present.generation)" {
            return "resourceVersion is \(given) but the object is at \(present.generation): "
                + "get it again and make the change on that, or leave resourceVersion out"
        }
        if present.keeper != keeper, !options.adopt {
            return "it belongs to \(present.keeper) since \(present.createdAt): apply it with "
                + "--set of its owner, take it over with --adopt (no reconnect), or choose "
                + "another name"
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

    /// A ConnectionSet that this apply says nothing about.
    private func stays(_ connectionSet: String) -> Bool {
        !inputSets.contains(connectionSet) && !leavingSets.contains(connectionSet)
    }

    private mutating func takeFrom(_ other: Keeper, connection name: String) {
        guard case .applySet(let other) = other, var record = draft.applySet(other) else { return }
        record.connections.remove(name)
        draft.put(record)
    }

    private mutating func delete(connection name: String, of connectionSet: String?) {
        guard let record = draft.connection(name) else { return }
        var result = ApplyResult(kind: .connection, name: name, action: .pruned)
        result.connectionSet = connectionSet
        result.uid = record.desired.uid.rawValue
        result.effect = .close
        draft.removeConnection(name)
        outcome.results.append(result)
    }
}

// MARK: Connection sets

extension SetApply {
    private mutating func apply(_ manifest: ConnectionSetManifest, _ object: CompiledObject) {
        let name = manifest.metadata.name
        var result = ApplyResult(kind: .connectionSet, name: name, action: .created)
        result.origin = object.position.file
        let present = draft.connectionSet(name)
        if let present, let sentence = conflict(present, manifest) {
            result.action = .conflict
            result.message = sentence
            outcome.results.append(result)
            return
        }
        if let present {
            let isAdopted = present.keeper != keeper
            result.action =
                isAdopted ? .adopted : present.digest == object.digest ? .unchanged : .configured
            if isAdopted, case .applySet(let other) = present.keeper,
                var record = draft.applySet(other)
            {
                record.connectionSets.remove(name)
                draft.put(record)
            }
        }
        let members = applyMembers(manifest, present: present, object)
        var record = makeRecord(manifest, object, present: present)
        record.members = members
        result.uid = record.uid
        result.generation = record.generation
        if present != record { draft.put(record) }
        set.connectionSets.insert(name)
        outcome.results.insert(result, at: outcome.results.count - resultsOfMembers)
        resultsOfMembers = 0
    }

    private func conflict(
        _ present: ConnectionSetRecord, _ manifest: ConnectionSetManifest
    ) -> String? {
        if let given = manifest.metadata.resourceVersion, given != "\(present.generation)" {
            return "resourceVersion is \(given) but the object is at \(present.generation): "
                + "get it again and make the change on that, or leave resourceVersion out"
        }
        guard present.keeper != keeper, !options.adopt else { return nil }
        return "it belongs to \(present.keeper) since \(present.createdAt): apply it with --set of "
            + "its owner, take it over with --adopt (no reconnect), or choose another name"
    }

    private func makeRecord(
        _ manifest: ConnectionSetManifest, _ object: CompiledObject,
        present: ConnectionSetRecord?
    ) -> ConnectionSetRecord {
        var record =
            present
            ?? ConnectionSetRecord(
                epoch: draft.epoch, name: manifest.metadata.name, uid: makeUID().rawValue,
                generation: 0, createdAt: now, keeper: keeper, labels: [:], annotations: [:],
                canonical: [], digest: "", members: [])
        if record.digest != object.digest { record.generation += 1 }
        record.keeper = keeper
        record.labels = manifest.metadata.labels
        record.annotations = manifest.metadata.annotations
        record.canonical = Self.withoutResourceVersion(object)
        record.digest = object.digest
        return record
    }

    /// What a caller compared against is no part of what it declares.
    private static func withoutResourceVersion(_ object: CompiledObject) -> [UInt8] {
        guard object.metadata.resourceVersion != nil,
            case .object(let members)? = try? JSONValue.parse(object.canonical)
        else { return object.canonical }
        return JSONValue.object(
            members.map { member in
                guard member.key == "metadata", case .object(let fields) = member.value else {
                    return member
                }
                return .init(
                    "metadata", .object(fields.filter { $0.key != "resourceVersion" }))
            }
        ).serialized()
    }

    /// - Returns: the names of the members that are this set's now.
    private mutating func applyMembers(
        _ manifest: ConnectionSetManifest, present: ConnectionSetRecord?, _ object: CompiledObject
    ) -> [String] {
        let first = outcome.results.count
        var names: [String] = []
        for member in manifest.members {
            var result = change(member, connectionSet: manifest.metadata.name)
            result.origin = object.position.file
            outcome.results.append(result)
            if result.action != .conflict {
                names.append(member.metadata.name)
                set.connections.remove(member.metadata.name)
            }
        }
        let kept = Set(manifest.members.map(\.metadata.name))
        for gone in present?.members ?? [] where !kept.contains(gone) {
            // It may become a Connection of its own, or another set's, in this very apply.
            guard draft.connection(gone)?.desired.connectionSet == manifest.metadata.name,
                !inputNames.contains(gone)
            else { continue }
            delete(connection: gone, of: manifest.metadata.name)
        }
        resultsOfMembers = outcome.results.count - first
        return names.sorted()
    }
}

// MARK: Prune

extension SetApply {
    private enum Victim: Hashable {
        case connection(String)
        case connectionSet(String)
    }

    /// What the set has and the input lacks.
    private func pruneVictims() throws -> [Victim] {
        let isEmpty = inputConnections.isEmpty && inputSets.isEmpty
        let owned = set.connections.count + set.connectionSets.count
        if isEmpty, owned > 0, !options.allowEmpty {
            throw PruneRefused(
                description: "the input is empty and would delete all \(owned) objects of set "
                    + "\(options.set): if that is meant, add --allow-empty")
        }
        let victims =
            set.connectionSets.subtracting(inputSets).sorted().map { Victim.connectionSet($0) }
            + set.connections.subtracting(inputConnections).sorted().map { Victim.connection($0) }
        let total = connectionCount(
            set.connectionSets.map { .connectionSet($0) }
                + set.connections.map { .connection($0) })
        let doomed = connectionCount(victims.filter { !isProtected($0) })
        let allowed = options.maxPrune.allowed(of: total)
        guard doomed <= allowed else {
            throw PruneRefused(
                description: "it would delete \(doomed) of the \(total) connections of set "
                    + "\(options.set), and at most \(allowed) are allowed: if that is meant, raise "
                    + "--max-prune (a number, or a percentage)")
        }
        return victims
    }

    private func connectionCount(_ victims: [Victim]) -> Int {
        victims.reduce(0) { sum, victim in
            switch victim {
            case .connection: sum + 1
            case .connectionSet(let name):
                sum + max(1, draft.connectionSet(name)?.members.count ?? 0)
            }
        }
    }

    private func isProtected(_ victim: Victim) -> Bool {
        switch victim {
        case .connection(let name):
            draft.connection(name)?.desired.annotations[Metadata.pruneAnnotation] == "disabled"
        case .connectionSet(let name):
            draft.connectionSet(name)?.annotations[Metadata.pruneAnnotation] == "disabled"
        }
    }

    private mutating func prune(_ victim: Victim) {
        switch victim {
        case .connection(let name):
            // A member of a set of this input is not the prune's any more.
            guard let desired = draft.connection(name)?.desired, desired.keeper == keeper,
                desired.connectionSet == nil
            else {
                set.connections.remove(name)
                return
            }
            if isProtected(victim) { return protect(.connection, name) }
            delete(connection: name, of: nil)
            set.connections.remove(name)
        case .connectionSet(let name):
            if isProtected(victim) { return protect(.connectionSet, name) }
            for member in draft.connectionSet(name)?.members ?? []
            where draft.connection(member)?.desired.connectionSet == name
                && !inputNames.contains(member)
            {
                delete(connection: member, of: name)
            }
            draft.removeConnectionSet(name)
            set.connectionSets.remove(name)
            outcome.results.append(
                ApplyResult(kind: .connectionSet, name: name, action: .pruned))
        }
    }

    private mutating func protect(_ kind: ObjectKind, _ name: String) {
        var result = ApplyResult(kind: kind, name: name, action: .protected)
        result.message = "annotation \(Metadata.pruneAnnotation) is disabled"
        outcome.results.append(result)
    }
}

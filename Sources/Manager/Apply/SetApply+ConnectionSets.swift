import ManagerCore
import Spec

extension SetApply {
    mutating func apply(_ manifest: ConnectionSetManifest, _ object: CompiledObject) {
        let name = manifest.metadata.name
        var result = ApplyResult(kind: .connectionSet, name: name, action: .created)
        result.origin = object.position.file
        let present = draft.connectionSet(name)
        result.generationBefore = present?.generation ?? 0
        if let present {
            result.uid = present.uid
            result.action = .conflict
            if let sentence = conflict(present, manifest) {
                result.message = sentence
            } else {
                result.fieldConflicts = fieldConflicts(present, object)
                if let first = result.fieldConflicts.first {
                    result.message = ApplySentences.setConflict(
                        first.owner, paths: result.fieldConflicts.map(\.path))
                }
            }
            if !result.message.isEmpty { return outcome.results.append(result) }
            result.action = replace(present, object)
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

    /// Another declaration of a set that is there.
    private mutating func replace(
        _ present: ConnectionSetRecord, _ object: CompiledObject
    ) -> ApplyResult.Action {
        guard present.keeper != keeper else {
            return present.digest == object.digest ? .unchanged : .configured
        }
        take(from: present.keeper) { $0.connectionSets.remove(present.name) != nil }
        return .adopted
    }

    private func conflict(
        _ present: ConnectionSetRecord, _ manifest: ConnectionSetManifest
    ) -> String? {
        if let given = manifest.metadata.resourceVersion, given != "\(present.generation)" {
            return ApplySentences.staleResourceVersion(given, present: present.generation)
        }
        guard present.keeper != keeper, !options.adopt else { return nil }
        return belongsToAnother(
            present.keeper, since: present.managers.first?.since ?? present.createdAt)
    }

    /// A set is one whole for its managers: they declare the same, or one of them takes over.
    private func fieldConflicts(
        _ present: ConnectionSetRecord, _ object: CompiledObject
    ) -> [FieldMerge.Conflict] {
        guard present.keeper == keeper, present.digest != object.digest, !options.forceConflicts,
            let other = present.managers.first(where: { $0.manager != options.fieldManager })
        else { return [] }
        return Self.differences(present.canonical, object.canonical).map {
            FieldMerge.Conflict(path: $0, owner: other)
        }
    }

    /// The parts in which two sets differ, by path.
    private static func differences(_ old: [UInt8], _ new: [UInt8]) -> [String] {
        let (old, new) = (try? JSONValue.parse(old), try? JSONValue.parse(new))
        let paths = [
            ("metadata", "labels"), ("metadata", "annotations"), ("spec", "list"),
            ("spec", "matrix"), ("spec", "name"), ("spec", "template"),
        ]
        let differing = paths.filter { old?[$0]?[$1] != new?[$0]?[$1] }.map { "\($0).\($1)" }
        return differing.isEmpty ? ["spec"] : differing
    }

    private func managers(
        _ present: ConnectionSetRecord, isSame: Bool
    ) -> [FieldOwner] {
        guard isSame, present.keeper == keeper else { return [owner] }
        let hasIt = present.managers.contains { $0.manager == options.fieldManager }
        return hasIt ? present.managers : present.managers + [owner]
    }

    private func makeRecord(
        _ manifest: ConnectionSetManifest, _ object: CompiledObject,
        present: ConnectionSetRecord?
    ) -> ConnectionSetRecord {
        var record =
            present
            ?? ConnectionSetRecord(
                epoch: draft.epoch, name: manifest.metadata.name,
                uid: draft.uid(ofNew: .connectionSet(manifest.metadata.name), makeUID).rawValue,
                generation: 0, createdAt: now, keeper: keeper, labels: [:], annotations: [:],
                canonical: [], digest: "", members: [], managers: [owner])
        if let present {
            record.managers = managers(present, isSame: present.digest == object.digest)
        }
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
            let name = member.metadata.name
            if result.action != .conflict {
                names.append(name)
                set.connections.remove(name)
            } else if draft.connection(name)?.desired.connectionSet == manifest.metadata.name {
                // Ours, but with a field that somebody else manages.
                names.append(name)
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

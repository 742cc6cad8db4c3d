import ManagerAPI
import ManagerCore
import Spec

/// Objects of shards that no instance serves, as lists and watches show them: from the store.
struct OwnerlessObjects: Sendable {
    /// Records read at a time.
    static let recordsPerRead = 100

    let stored: any StoredObjects
    let now: @Sendable () -> WallTime

    /// A page of a list, of these shards only.
    ///
    /// - Parameter why: by shard; also says which shards are meant.
    /// - Throws: ``NotServed`` where the store cannot be read: a list without them would be wrong.
    func page(
        _ kind: ObjectKind, _ request: Wsm_V1_ListRequest, limit: Int, _ why: [Int: NotOwned],
        shardCount: Int
    ) async throws -> Wsm_V1_ListResponse {
        var response = Wsm_V1_ListResponse()
        guard !why.isEmpty else { return response }
        let filter = try ObjectFilter(
            labelSelector: request.labelSelector, set: request.set, names: [])
        let names = try await names(kind, shards: Set(why.keys)).filter { $0 > request.pageToken }
        for start in stride(from: 0, to: names.count, by: Self.recordsPerRead) {
            let group = Array(names[start..<min(start + Self.recordsPerRead, names.count)])
            let found = try await objects(kind, group, filter: filter, isBrief: request.brief) {
                why[Shards.shard(of: $0, among: shardCount)] ?? .noOwner
            }
            for object in found {
                guard response.objects.count < limit else {
                    response.nextPageToken = response.objects.last?.name ?? ""
                    return response
                }
                response.objects.append(object)
            }
        }
        return response
    }

    /// Those that are live and pass the filter, in the order of their names.
    func objects(
        _ kind: ObjectKind, _ names: [String], filter: ObjectFilter, isBrief: Bool,
        _ why: @Sendable (String) -> NotOwned
    ) async throws -> [Wsm_V1_Object] {
        switch kind {
        case .connection:
            return try await connections(names).filter {
                filter.passes(
                    labels: $0.desired.effectiveLabels, keeper: $0.desired.keeper,
                    name: $0.desired.name)
            }.map {
                Wsm_V1_Object(
                    .init(stored: $0, why($0.desired.name), now: now()), isBrief: isBrief)
            }
        case .connectionSet:
            return try await reading { try await stored.connectionSets(names) }
                .filter { filter.passes(labels: $0.labels, keeper: $0.keeper, name: $0.name) }
                .sorted { $0.name < $1.name }
                .map { Wsm_V1_Object($0, isBrief: isBrief) }
        }
    }

    /// Live ones whose Connect was answered, in the order of their names.
    func connections(_ names: [String]) async throws -> [ConnectionRecord] {
        try await reading { try await stored.connections(names) }
            .filter { !$0.desired.isProvisional }
            .sorted { $0.desired.name < $1.desired.name }
    }

    /// What index pages name, sorted.
    func names(_ kind: ObjectKind, shards: Set<Int>) async throws -> [String] {
        guard !shards.isEmpty else { return [] }
        return try await reading { try await stored.entries(ofShards: shards) }
            .filter { $0.kind == kind }.map(\.name).sorted()
    }

    private func reading<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch {
            throw NotServed("objects that no instance serves cannot be read: \(error)")
        }
    }
}

package import GRPCCore
package import ManagerAPI
package import ManagerCore
import Spec

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `wsm.v1.Orchestrator`: manifests in, plans and live state out.
package struct OrchestratorService: Wsm_V1_Orchestrator.SimpleServiceProtocol {
    /// Results of one response message: about 300 KiB as a rule.
    static let resultsPerMessage = 500
    /// Bytes of results after which a message is sent, far below gRPC's 4 MiB.
    static let resultBytesPerMessage = 1 << 20
    /// Bytes of one page of a list, far below gRPC's 4 MiB.
    static let pageBytes = 2 << 20
    /// Changes and bytes of one message of Watch; one object more may come on top.
    static let changesPerMessage = 200
    static let watchBytes = 1 << 20
    static let maxPageSize = 1_000
    static let defaultPageSize = 500
    /// Messages of one response of Events.
    static let messagesPerResponse = 500
    /// Messages that Subscribe takes from a topic at one time.
    static let messagesPerRead = 2_000
    /// Bytes of a stream that is behind that are written on an event loop before the loop sees to its
    /// sockets again: some milliseconds of work.
    static let bytesInARow = 4 << 20

    let operations: ConnectionOperations
    let bus: any Bus
    let server: ServerIdentity
    let checks: ServerChecks
    /// Names of the connections with an open socket at other instances.
    package var openElsewhere: @Sendable () async -> Set<String> = { [] }

    package init(
        operations: ConnectionOperations, bus: any Bus, server: ServerIdentity,
        checks: ServerChecks
    ) {
        self.checks = checks
        self.operations = operations
        self.bus = bus
        self.server = server
    }

    // MARK: Apply and Plan

    package func apply(
        request: RPCAsyncSequence<Wsm_V1_ApplyRequest, any Error>,
        response: RPCWriter<Wsm_V1_ApplyResponse>, context: ServerContext
    ) async throws {
        let input = try await ApplyInput.read(request)
        var options = try ApplyOptions(input.header)
        options.isDryRun = input.header.dryRun
        try await answer(input.objects, warnings: input.warnings, options, response)
    }

    package func plan(
        request: RPCAsyncSequence<Wsm_V1_ApplyRequest, any Error>,
        response: RPCWriter<Wsm_V1_ApplyResponse>, context: ServerContext
    ) async throws {
        let input = try await ApplyInput.read(request)
        var options = try ApplyOptions(input.header)
        options.isDryRun = true
        try await answer(input.objects, warnings: input.warnings, options, response)
    }

    /// Applies, or says what an apply would do, and tells the results.
    func answer(
        _ objects: [CompiledObject], warnings: [String], _ options: ApplyOptions,
        _ response: RPCWriter<Wsm_V1_ApplyResponse>
    ) async throws {
        let now = operations.clock.wallTime()
        // What is live is asked before the change: afterwards it is already being cut.
        let live = await openElsewhere().union(operations.fleet.openNames)
        let outcome = try await operations.store.transact { draft in
            var scratch = draft
            let outcome = try SetApply.run(
                objects, on: &scratch, options: options, now: now)
            if !options.isDryRun { draft = scratch }
            return outcome
        }
        let cutNames = Set(
            outcome.results.lazy
                .filter { $0.kind == .connection && $0.effect >= .reopen && live.contains($0.name) }
                .map(\.name))
        // Outside of the message, where an append would copy all of them.
        var results: [Wsm_V1_ObjectResult] = []
        var bytes = 0
        for result in outcome.results {
            let isCut = result.kind == .connection && cutNames.contains(result.name)
            let told = Wsm_V1_ObjectResult(result, cutsSocket: isCut)
            bytes += told.approximateBytes
            results.append(told)
            if results.count >= Self.resultsPerMessage || bytes >= Self.resultBytesPerMessage {
                try await response.write(Wsm_V1_ApplyResponse(results: results))
                (results, bytes) = ([], 0)
            }
        }
        if !results.isEmpty {
            try await response.write(Wsm_V1_ApplyResponse(results: results))
        }
        var message = Wsm_V1_ApplyResponse()
        message.summary = Wsm_V1_ApplySummary(
            outcome, set: options.set, cutSockets: cutNames.count,
            warnings: Array(warnings.prefix(100)))
        try await response.write(message)
    }

    // MARK: Reads

    package func get(
        request: Wsm_V1_GetRequest, context: ServerContext
    ) async throws -> Wsm_V1_Object {
        guard let object = try object(kind(request.kind), request.name, isBrief: false) else {
            throw Self.notFound(try kind(request.kind))
        }
        return object
    }

    static func notFound(_ kind: ObjectKind) -> ManagerError {
        kind == .connection
            ? .connectionNotFound : ManagerError(.notFound, "ConnectionSet not found")
    }

    package func list(
        request: Wsm_V1_ListRequest, context: ServerContext
    ) async throws -> Wsm_V1_ListResponse {
        let kind = try kind(request.kind)
        let filter = try ObjectFilter(
            labelSelector: request.labelSelector, set: request.set, names: [])
        let limit = try pageSize(request.pageSize)
        var response = Wsm_V1_ListResponse()
        var bytes = 0
        var last = ""
        for name in names(kind).sorted() where name > request.pageToken {
            guard filter.passes(labels: labels(kind, name), keeper: keeper(kind, name), name: name),
                let object = object(kind, name, isBrief: request.brief)
            else { continue }
            guard response.objects.count < limit, bytes < Self.pageBytes else {
                response.nextPageToken = last
                break
            }
            bytes += object.json.count + 512
            response.objects.append(object)
            last = name
        }
        return response
    }

    private func pageSize(_ size: Int32) throws -> Int {
        guard (0...Int32(Self.maxPageSize)).contains(size) else {
            throw ManagerError(
                .invalidArgument, "page_size is \(size): it must be 0 to \(Self.maxPageSize)")
        }
        return size == 0 ? Self.defaultPageSize : Int(size)
    }

    package func watch(
        request: Wsm_V1_WatchRequest, response: RPCWriter<Wsm_V1_WatchResponse>,
        context: ServerContext
    ) async throws {
        let kind = try kind(request.kind)
        let filter = try ObjectFilter(
            labelSelector: request.labelSelector, set: request.set, names: request.names)
        let changes = operations.feed.subscribe()
        let present = try await tellPresent(kind, filter, response)
        try await operations.endingWithCaller(context) {
            var sent = present
            for await _ in changes.signals {
                try await tell(changes.take(), kind, filter, sent: &sent, response)
            }
        }
        throw Self.goingAway
    }

    /// - Returns: the names that were told.
    private func tellPresent(
        _ kind: ObjectKind, _ filter: ObjectFilter, _ response: RPCWriter<Wsm_V1_WatchResponse>
    ) async throws -> Set<String> {
        var sent: Set<String> = []
        var batch = WatchBatch()
        for name in names(kind).sorted() {
            guard filter.passes(labels: labels(kind, name), keeper: keeper(kind, name), name: name),
                let object = object(kind, name, isBrief: false)
            else { continue }
            sent.insert(name)
            try await add(object, .present, to: &batch, response)
        }
        var synced = Wsm_V1_WatchChange()
        synced.action = .synced
        batch.add(synced)
        try await flush(&batch, response)
        return sent
    }

    private func tell(
        _ keys: Set<ObjectKey>, _ kind: ObjectKind, _ filter: ObjectFilter,
        sent: inout Set<String>, _ response: RPCWriter<Wsm_V1_WatchResponse>
    ) async throws {
        var batch = WatchBatch()
        for key in keys where key.kind == kind {
            if filter.passes(
                labels: labels(kind, key.name), keeper: keeper(kind, key.name), name: key.name),
                let object = object(kind, key.name, isBrief: false)
            {
                sent.insert(key.name)
                try await add(object, .changed, to: &batch, response)
            } else if sent.remove(key.name) != nil {
                var object = Wsm_V1_Object()
                object.kind = kind.rawValue
                object.name = key.name
                try await add(object, .deleted, to: &batch, response)
            }
        }
        try await flush(&batch, response)
    }

    private func add(
        _ object: Wsm_V1_Object, _ action: Wsm_V1_WatchAction, to batch: inout WatchBatch,
        _ response: RPCWriter<Wsm_V1_WatchResponse>
    ) async throws {
        var change = Wsm_V1_WatchChange()
        change.action = action
        change.object = object
        batch.add(change)
        if batch.isFull { try await flush(&batch, response) }
    }

    private func flush(
        _ batch: inout WatchBatch, _ response: RPCWriter<Wsm_V1_WatchResponse>
    ) async throws {
        guard let message = batch.take() else { return }
        try await response.write(message)
    }

    package func getServerInfo(
        request: Wsm_V1_GetServerInfoRequest, context: ServerContext
    ) async throws -> Wsm_V1_ServerInfo {
        var info = Wsm_V1_ServerInfo()
        info.version = server.version
        info.instanceID = server.instanceID
        info.epoch = operations.store.epoch
        info.startedAt = server.startedAt.nanosecondsSinceEpoch / 1_000_000_000
        info.connections = Int32(clamping: operations.store.desiredNames().count)
        return info
    }
}

/// Changes that go into one message of a Watch.
struct WatchBatch: Sendable {
    private var message = Wsm_V1_WatchResponse()
    /// Of their documents.
    private var bytes = 0

    mutating func add(_ change: Wsm_V1_WatchChange) {
        message.changes.append(change)
        bytes += change.object.json.count
    }

    var isFull: Bool {
        message.changes.count >= OrchestratorService.changesPerMessage
            || bytes >= OrchestratorService.watchBytes
    }

    /// What is to be sent; `nil` if there is nothing.
    mutating func take() -> Wsm_V1_WatchResponse? {
        guard !message.changes.isEmpty else { return nil }
        defer { self = WatchBatch() }
        return message
    }
}

/// Who answers.
package struct ServerIdentity: Sendable {
    package var version: String
    package var instanceID: String
    package var startedAt: WallTime

    package init(version: String, instanceID: String, startedAt: WallTime) {
        self.version = version
        self.instanceID = instanceID
        self.startedAt = startedAt
    }
}

// MARK: Objects

extension OrchestratorService {
    func kind(_ text: String) throws -> ObjectKind {
        if text.isEmpty { return .connection }
        guard let kind = ObjectKind(rawValue: text) else {
            throw ManagerError(
                .invalidArgument, "kind is \(text): Connection or ConnectionSet is wanted")
        }
        return kind
    }

    private func names(_ kind: ObjectKind) -> [String] {
        switch kind {
        case .connection: operations.store.desiredNames()
        case .connectionSet: operations.store.connectionSetNames()
        }
    }

    private func labels(_ kind: ObjectKind, _ name: String) -> [String: String] {
        switch kind {
        case .connection: operations.store.record(name)?.desired.effectiveLabels ?? [:]
        case .connectionSet: operations.store.connectionSet(name)?.labels ?? [:]
        }
    }

    private func keeper(_ kind: ObjectKind, _ name: String) -> Keeper? {
        switch kind {
        case .connection: operations.store.record(name)?.desired.keeper
        case .connectionSet: operations.store.connectionSet(name)?.keeper
        }
    }

    private func object(_ kind: ObjectKind, _ name: String, isBrief: Bool) -> Wsm_V1_Object? {
        switch kind {
        case .connection:
            operations.view(name).flatMap { view in
                // Not there for anybody before its Connect is answered.
                view.record.desired.isProvisional ? nil : Wsm_V1_Object(view, isBrief: isBrief)
            }
        case .connectionSet:
            operations.store.connectionSet(name).map { Wsm_V1_Object($0, isBrief: isBrief) }
        }
    }
}

/// What a list or a watch wants to see.
struct ObjectFilter: Sendable {
    /// Bytes of a selector: more than anybody types, so that a hostile one costs nothing.
    static let longestSelector = 4_096

    private let selector: LabelSelector?
    private let set: String
    private let names: Set<String>

    /// - Throws: ``ManagerError`` naming the place in the selector.
    init(labelSelector: String, set: String, names: [String]) throws {
        self.set = set
        self.names = Set(names)
        guard !labelSelector.isEmpty else {
            selector = nil
            return
        }
        guard labelSelector.utf8.count <= Self.longestSelector else {
            throw ManagerError(
                .invalidArgument,
                "label_selector has \(labelSelector.utf8.count) bytes: at most "
                    + "\(Self.longestSelector) are read")
        }
        do {
            selector = try LabelSelector(labelSelector)
        } catch {
            throw ManagerError(.invalidArgument, "label_selector: \(error)")
        }
    }

    func passes(labels: [String: String], keeper: Keeper?, name: String) -> Bool {
        guard let keeper else { return false }
        if !set.isEmpty, keeper != .applySet(set) { return false }
        if !names.isEmpty, !names.contains(name) { return false }
        return selector?.matches(labels) ?? true
    }
}

extension ObjectKey {
    var kind: ObjectKind? {
        switch self {
        case .connection: .connection
        case .connectionSet: .connectionSet
        case .applySet: nil
        }
    }
}

extension Wsm_V1_Object {
    init(_ view: ConnectionOperations.View, isBrief: Bool) {
        self.init()
        let desired = view.record.desired
        let (status, seen) = (view.status, view.status.observed)
        kind = ObjectKind.connection.rawValue
        name = desired.name
        if !isBrief { json = Data(ObjectRendering.json(view)) }
        if case .applySet(let name) = desired.keeper { set = name }
        phase = status.phase.rawValue
        ready = status.ready.status == .yes
        reason = status.ready.reason
        message = status.ready.message
        url = desired.spec.redactedURL
        topic = desired.effectiveTopic ?? ""
        received = seen.traffic.receivedMessages
        published = seen.traffic.published
        dropped = seen.traffic.dropped.total
        generation = desired.generation
        observedGeneration = seen.generation
        firstMessage = ready && seen.hasFirstMessage
        stalled = status.stall != nil
        connectionSet = desired.connectionSet ?? ""
        connectedAt = (seen.connectedAt?.nanosecondsSinceEpoch ?? 0) / 1_000_000_000
        nextAttemptAt = (seen.nextAttemptAt?.nanosecondsSinceEpoch ?? 0) / 1_000_000_000
        attempt = Int32(clamping: seen.attempt)
        lastError = seen.lastFailure?.message ?? ""
    }

    init(_ record: ConnectionSetRecord, isBrief: Bool) {
        self.init()
        kind = ObjectKind.connectionSet.rawValue
        name = record.name
        if !isBrief { json = Data(ObjectRendering.json(record)) }
        if case .applySet(let name) = record.keeper { set = name }
        generation = record.generation
        observedGeneration = record.generation
        message = "\(record.members.count) members"
    }
}

extension Wsm_V1_ApplyResponse {
    fileprivate init(results: [Wsm_V1_ObjectResult]) {
        self.init()
        self.results.results = results
    }
}

import Logging
package import ManagerCore
import Spec

/// The imperative calls, apart from their wire: what `virtufin.WebSocketManager` means here.
package struct ConnectionOperations: Sendable {
    /// How long a change may take to be in force on a live connection before the call is answered
    /// anyway; it is committed by then.
    static let settleLimit: Duration = .seconds(5)

    let store: TwoTierStore
    let fleet: ConnectionFleet
    let feed: ChangeFeed
    let clock: ManagerClock
    /// Returns when the loop has looked at a name again; see ``ReconcileLoop/reconciled(_:)``.
    let reconciled: @Sendable (_ name: String) async -> Void
    /// The orderly end of the process has begun.
    let isEnding: @Sendable () -> Bool
    /// Put into the spec of every Connect.
    let defaults: ServerConfiguration.APIConnectionDefaults
    let metrics: ManagerMetrics

    package init(
        store: TwoTierStore, fleet: ConnectionFleet, feed: ChangeFeed, clock: ManagerClock,
        reconciled: @escaping @Sendable (String) async -> Void,
        isEnding: @escaping @Sendable () -> Bool,
        defaults: ServerConfiguration.APIConnectionDefaults = .init(),
        metrics: ManagerMetrics = ManagerMetrics()
    ) {
        self.defaults = defaults
        self.metrics = metrics
        self.isEnding = isEnding
        self.reconciled = reconciled
        self.store = store
        self.fleet = fleet
        self.feed = feed
        self.clock = clock
    }

    /// One connection with its status.
    package struct View: Sendable {
        package var record: ConnectionRecord
        package var status: ConnectionStatus
    }

    package func view(_ record: ConnectionRecord) -> View {
        let name = record.desired.name
        var view = View(
            record: record,
            status: ConnectionStatus(
                desired: record.desired, observed: fleet.observe(name) ?? record.lastObserved,
                now: clock.wallTime()))
        if fleet.gate(for: name)?.lease.isValid == false { view.doubt(.fenced) }
        return view
    }

    var logger: Logger { fleet.environment.logger }

    package func view(_ name: String) -> View? {
        store.record(name).map { view($0) }
    }

    // MARK: Connect and Disconnect

    /// Makes a connection and waits for its first open.
    ///
    /// The record is stored before the dial, marked as unanswered, so that a crash leaves no orphan:
    /// the loop confirms it when the socket is open and removes it when the dial fails.
    package func connect(
        url: String, autoReconnect: Bool, tags: [String: String]
    ) async throws -> View {
        do {
            _ = try Endpoint.parse(url)
        } catch {
            throw ManagerError(.invalidArgument, "url: \(error.message)")
        }
        if let problem = TagLimits.problem(tags) {
            throw ManagerError(.invalidArgument, "tags: \(problem)")
        }
        var generator = SystemRandomNumberGenerator()
        guard let name = store.drawName(using: &generator) else {
            throw ManagerError(
                .unavailable,
                "this instance owns no shard now: connect again in a few seconds, or at another "
                    + "instance")
        }
        var spec = ConnectionSpec(url: url)
        spec.autoReconnect = autoReconnect
        defaults.apply(to: &spec)
        var desired = DesiredConnection(
            name: name, uid: .random(using: &generator), createdAt: clock.wallTime(),
            keeper: .grpc, spec: spec)
        desired.overlay.labels = tags
        desired.isProvisional = true
        // Its one dial is this one; should the process end before the answer, none follows.
        desired.spentDialRevision = desired.dialRevision
        let record = ConnectionRecord(epoch: store.epoch, desired: desired)
        let changes = feed.subscribe(to: name)
        fleet.keepFailure(of: name)
        defer { fleet.forgetFailure(of: name) }
        try await store.transact { $0.put(record) }
        do {
            guard store.isServed(name) else {
                throw ManagerError(
                    .unavailable, "the shard of the connection is moving: connect again")
            }
            return try await firstOpen(name, changes)
        } catch {
            // The caller went away, or the store did: nobody would ever ask for this one.
            _ = try? await store.transact { $0.removeConnection(name) }
            throw error
        }
    }

    private func firstOpen(
        _ name: String, _ changes: ChangeFeed.Subscription
    ) async throws -> View {
        for await _ in changes.signals {
            guard let record = store.record(name) else {
                throw fleet.lastFailure(of: name).map(ManagerError.init(connectFailure:))
                    ?? ManagerError(.unavailable, "the connection closed before it was answered")
            }
            if !record.desired.isProvisional { return view(record) }
        }
        throw ManagerError(
            .unavailable, "the server is going away, or the caller went: connect again")
    }

    /// Closes and removes. Returns when the record is gone and the loop has acted on it: no dial
    /// begins after that.
    package func disconnect(_ name: String) async throws {
        try await store.transact { draft in
            guard let record = draft.connection(name) else {
                throw ManagerError.connectionNotFound
            }
            if case .applySet(let set) = record.desired.keeper {
                throw ManagerError(
                    .failedPrecondition,
                    "the connection is declared by set \(set): remove it from its manifests, or "
                        + "delete it with wsm-apply delete")
            }
            draft.removeConnection(name)
        }
        await reconciled(name)
    }

    // MARK: Topic

    package func startPublish(_ name: String, topic: String) async throws {
        guard !topic.isEmpty else { throw ManagerError.topicRequired }
        if let problem = TopicName.problem(topic) {
            throw ManagerError(.invalidArgument, "topic: \(problem)")
        }
        guard let view = view(name) else { throw ManagerError.connectionNotFound }
        guard view.status.observed.isOpen else { throw ManagerError.notConnected }
        try await setTopic(name, topic)
    }

    package func stopPublish(_ name: String) async throws {
        try await setTopic(name, nil)
    }

    private func setTopic(_ name: String, _ topic: String?) async throws {
        let now = clock.wallTime()
        let generation = try await edit(name) { desired in
            guard !desired.declared.contains("topic") || desired.spec.topic == topic else {
                throw declaredElsewhere(desired, field: "topic")
            }
            desired.setTopic(topic, at: now)
        }
        await settled(name) {
            fleet.observe(name).map { $0.generation >= generation } ?? true
        }
    }

    // MARK: Tags

    package func tags(_ name: String) async throws -> [String: String] {
        guard let record = try await store.find(connection: name) else {
            throw ManagerError.connectionNotFound
        }
        return record.desired.effectiveLabels
    }

    package func setTag(_ name: String, key: String, value: String) async throws {
        try await changeTags(name) { $0[key] = value }
    }

    package func setTags(_ name: String, _ tags: [String: String]) async throws {
        try await changeTags(name) { $0 = tags }
    }

    private func changeTags(
        _ name: String, _ body: @escaping @Sendable (inout [String: String]) -> Void
    ) async throws {
        let now = clock.wallTime()
        try await edit(name) { desired in
            var tags = desired.effectiveLabels
            body(&tags)
            if let problem = TagLimits.problem(tags) {
                throw ManagerError(.invalidArgument, "tags: \(problem)")
            }
            for (key, value) in desired.labels where tags[key] != value {
                throw declaredElsewhere(desired, field: "metadata.labels[\(key)]")
            }
            desired.setTags(tags.filter { desired.labels[$0.key] == nil }, at: now)
        }
    }

    // MARK: Messages

    package func request(
        _ name: String, _ message: [UInt8], contentType: String, timeoutMilliseconds: Int32
    ) async throws -> [UInt8] {
        guard (0...600_000).contains(timeoutMilliseconds) else {
            throw ManagerError(
                .invalidArgument,
                "timeout_ms is \(timeoutMilliseconds): it must be 0 (the connection's "
                    + "correlation.timeout) to 600000")
        }
        let connection = try target(name)
        let isText = try Self.isText(contentType, message)
        do {
            return try await metrics.counting {
                try await connection.request(
                    message, isText: isText,
                    timeout: timeoutMilliseconds == 0
                        ? nil : .milliseconds(Int64(timeoutMilliseconds)))
            }
        } catch let failure as SendFailure {
            throw ManagerError(failure)
        }
    }

    package func send(_ name: String, _ message: [UInt8], contentType: String) async throws {
        let connection = try target(name)
        let isText = try Self.isText(contentType, message)
        do {
            try await metrics.counting { try await connection.send(message, isText: isText) }
        } catch let failure as SendFailure {
            throw ManagerError(failure)
        }
    }

    private func target(_ name: String) throws -> ManagedConnection {
        guard store.record(name) != nil else { throw ManagerError.connectionNotFound }
        guard let connection = fleet.connection(name) else { throw ManagerError.notConnected }
        return connection
    }

    /// `text/…` and `application/json` go out as text, all else as binary; with no type, what is
    /// valid UTF-8 is text.
    static func isText(_ contentType: String, _ message: [UInt8]) throws -> Bool {
        let type = contentType.split(separator: ";").first.map {
            $0.lowercased().filter { $0 != " " }
        }
        let isUTF8 = String(validating: message, as: UTF8.self) != nil
        guard let type else { return isUTF8 }
        let isText = type.hasPrefix("text/") || type == "application/json"
        guard !isText || isUTF8 else {
            throw ManagerError(
                .invalidArgument,
                "content_type is \(contentType), but the message is not valid UTF-8: send it as "
                    + "application/octet-stream")
        }
        return isText
    }

    // MARK: Shared steps

    /// - Returns: the generation that is committed.
    @discardableResult
    private func edit(
        _ name: String, _ body: @escaping @Sendable (inout DesiredConnection) throws -> Void
    ) async throws -> Int64 {
        try await store.transact { draft in
            guard var record = draft.connection(name) else {
                throw ManagerError.connectionNotFound
            }
            let before = record.desired
            try body(&record.desired)
            _ = record.desired.settle(since: before)
            if record.desired != before { draft.put(record) }
            return record.desired.generation
        }
    }

    private func declaredElsewhere(_ desired: DesiredConnection, field: String) -> ManagerError {
        ManagerError(
            .failedPrecondition,
            "\(field) is declared by \(desired.keeper): change it in the manifest")
    }

    /// Waits until a committed change is in force, for a bounded time.
    private func settled(_ name: String, _ isDone: @escaping @Sendable () -> Bool) async {
        let changes = feed.subscribe(to: name)
        if isDone() { return }
        await withTaskGroup { group in
            group.addTask {
                for await _ in changes.signals where isDone() { return }
            }
            group.addTask { try? await Task.sleep(for: Self.settleLimit) }
            await group.next()
            group.cancelAll()
        }
    }
}

extension ConnectionRecord {
    /// What the life before this one last wrote, for as long as this one has not dialled.
    fileprivate var lastObserved: ObservedConnection? {
        guard let observed else { return nil }
        var seen = ObservedConnection(name: desired.name, uid: desired.uid, generation: 0)
        seen.lastFailure = observed.lastFailure
        seen.lastClose = observed.lastClose
        return seen
    }
}

import ManagerCore
import Reconciler

/// The content of `/metrics`: reads what every part has counted and writes it down.
package struct ServerMetrics: Sendable {
    let manifests: @Sendable () -> ManifestsReport
    /// `nil` for a server that is alone.
    let view: @Sendable () -> ClusterView?
    let peers: @Sendable () -> GRPCPeerLink.Counts
    let counters: ManagerMetrics
    let fleet: ConnectionFleet
    let store: TwoTierStore
    let loop: ReconcileLoop
    let lifecycle: LifecyclePublisher
    let bufferLimit: Int
    let checks: ServerChecks
    let version: String
    let startedAt: WallTime

    init(
        manifests: @escaping @Sendable () -> ManifestsReport, membership: Membership?,
        environment: ConnectionEnvironment, fleet: ConnectionFleet, store: TwoTierStore,
        loop: ReconcileLoop, bufferLimit: Int, checks: ServerChecks, server: ServerIdentity
    ) {
        self.manifests = manifests
        view = { membership?.node.view }
        peers = { membership?.peers.link.counts ?? GRPCPeerLink.Counts() }
        counters = environment.metrics
        self.fleet = fleet
        self.store = store
        self.loop = loop
        lifecycle = environment.lifecycle
        self.bufferLimit = bufferLimit
        self.checks = checks
        version = server.version
        startedAt = server.startedAt
    }

    /// Prometheus text format 0.0.4. Any thread; looks at each connection once.
    package func render() -> String {
        var text = MetricsText()
        text.begin(MetricCatalogue.buildInfo)
        text.sample(MetricCatalogue.buildInfo, [version], 1 as UInt64)
        text.begin(MetricCatalogue.checkOK)
        for check in checks.report.checks {
            text.sample(MetricCatalogue.checkOK, [check.name], check.ok ? 1 : 0 as UInt64)
        }
        connections(&text)
        traffic(&text)
        reconciler(&text)
        text.family(MetricCatalogue.storeOperations, counters.storeOperations)
        let seen = manifests()
        text.begin(MetricCatalogue.manifests)
        text.sample(MetricCatalogue.manifests, ["applied"], seen.appliedTotal)
        text.sample(MetricCatalogue.manifests, ["refused"], seen.refusedTotal)
        cluster(&text)
        process(&text)
        return text.text
    }

    private func cluster(_ text: inout MetricsText) {
        let view = view()
        text.begin(MetricCatalogue.clusterMembers)
        for state in ClusterView.MemberState.allCases {
            text.sample(
                MetricCatalogue.clusterMembers, [state.rawValue],
                UInt64(view?.members.count { $0.state == state } ?? 0))
        }
        text.begin(MetricCatalogue.clusterShards)
        for state in ClusterView.ShardState.allCases {
            text.sample(
                MetricCatalogue.clusterShards, [state.rawValue],
                UInt64(view?.shards.count { $0.state == state } ?? 0))
        }
        text.single(MetricCatalogue.clusterFenced, view?.fencedFor == nil ? 0 : 1 as UInt64)
        text.family(MetricCatalogue.clusterEvents, counters.clusterEvents)
        let sent = peers()
        text.begin(MetricCatalogue.peerMessages)
        text.sample(MetricCatalogue.peerMessages, ["delivered"], sent.delivered)
        text.sample(MetricCatalogue.peerMessages, ["lost"], sent.lost)
        text.sample(MetricCatalogue.peerMessages, ["dropped"], sent.dropped)
    }

    private func connections(_ text: inout MetricsText) {
        var phases: [Phase: UInt64] = [:]
        for name in store.desiredNames() {
            guard let desired = store.desired(name) else { continue }
            let phase = ConnectionStatus.phase(desired: desired, observed: fleet.observe(name))
            phases[phase, default: 0] += 1
        }
        text.begin(MetricCatalogue.connections)
        for phase in Phase.allCases {
            text.sample(
                MetricCatalogue.connections, [phase.rawValue.lowercased()], phases[phase] ?? 0)
        }
        text.family(MetricCatalogue.dials, counters.dials)
        text.histogram(MetricCatalogue.dialDuration, counters.dialDurations)
        text.family(MetricCatalogue.disconnects, counters.disconnects)
        text.single(MetricCatalogue.gaps, counters.gaps.value)
        text.family(MetricCatalogue.pings, counters.pings)
    }

    private func traffic(_ text: inout MetricsText) {
        let totals = fleet.totals()
        text.begin(MetricCatalogue.messagesReceived)
        text.sample(MetricCatalogue.messagesReceived, ["text"], totals.receivedTexts)
        text.sample(MetricCatalogue.messagesReceived, ["binary"], totals.receivedBinaries)
        text.sample(MetricCatalogue.messagesReceived, ["unread"], totals.receivedUnread)
        text.single(MetricCatalogue.receivedBytes, totals.receivedBytes)
        text.single(MetricCatalogue.loopRests, counters.rests.value)
        text.begin(MetricCatalogue.published)
        text.sample(MetricCatalogue.published, ["accepted"], totals.published)
        text.sample(MetricCatalogue.published, ["refused"], totals.dropped[.refusedByBus])
        text.sample(
            MetricCatalogue.published, ["unavailable"], counters.publishUnavailable.value)
        text.single(MetricCatalogue.bufferMessages, UInt64(max(0, totals.bufferedMessages)))
        text.single(MetricCatalogue.bufferBytes, UInt64(max(0, totals.bufferedBytes)))
        text.single(MetricCatalogue.bufferLimit, UInt64(max(0, bufferLimit)))
        text.begin(MetricCatalogue.dropped)
        for reason in DropReason.allCases {
            text.sample(MetricCatalogue.dropped, [reason.rawValue], totals.dropped[reason])
        }
        text.single(
            MetricCatalogue.publishedLate,
            counters.publishedLate.value + lifecycle.publishedLate)
        text.family(MetricCatalogue.shadowMessages, counters.shadowMessages)
        text.single(MetricCatalogue.eventsDropped, lifecycle.dropped)
        text.family(MetricCatalogue.sends, counters.sends)
    }

    private func reconciler(_ text: inout MetricsText) {
        let seen = loop.statistics
        text.begin(MetricCatalogue.reconciled)
        text.sample(MetricCatalogue.reconciled, ["done"], seen.done)
        text.sample(MetricCatalogue.reconciled, ["requeued"], seen.requeued)
        text.sample(MetricCatalogue.reconciled, ["failed"], seen.failed)
        text.histogram(MetricCatalogue.reconcileDuration, seen.durations)
        text.single(MetricCatalogue.queueDepth, UInt64(seen.queued))
        text.single(MetricCatalogue.queueAdds, seen.adds)
        text.single(MetricCatalogue.queueRetries, seen.failed)
        text.single(MetricCatalogue.queueProcessing, UInt64(seen.processing))
    }

    private func process(_ text: inout MetricsText) {
        let facts = ProcessFacts.read()
        text.single(MetricCatalogue.processCPU, facts.cpuSeconds)
        text.single(
            MetricCatalogue.processStart, Double(startedAt.nanosecondsSinceEpoch) / 1e9)
        text.single(MetricCatalogue.residentMemory, facts.residentBytes)
        text.single(MetricCatalogue.virtualMemory, facts.virtualBytes)
        text.single(MetricCatalogue.openFiles, facts.openFiles)
        text.single(MetricCatalogue.maxFiles, facts.maxFiles)
    }
}

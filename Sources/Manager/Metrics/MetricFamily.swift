/// One metric: its name, its kind, and what its labels may be.
package struct MetricFamily: Sendable, Hashable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    package let name: String
    package let kind: Kind
    /// One line.
    package let help: String
    /// Names of the labels, each with its values as the documents tell them.
    package let labels: [String]

    package init(_ name: String, _ kind: Kind, labels: [String] = [], _ help: String) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
    }
}

/// Every metric of the server, in the order of the page. Names change only by adding.
package enum MetricCatalogue {
    package static let families: [MetricFamily] = [
        buildInfo, checkOK,
        connections, dials, dialDuration, disconnects, gaps, pings,
        messagesReceived, receivedBytes, loopRests, published, bufferMessages, bufferBytes,
        bufferLimit,
        dropped, publishedLate, shadowMessages, eventsDropped, sends,
        reconciled, reconcileDuration, queueDepth, queueAdds, queueRetries, queueProcessing,
        storeOperations, manifests, clusterMembers, clusterShards, clusterFenced, clusterEvents,
        peerMessages,
        processCPU, processStart, residentMemory, virtualMemory, openFiles, maxFiles,
    ]

    static let buildInfo = MetricFamily(
        "wsm_build_info", .gauge, labels: ["version"], "Always 1; the version is its label.")
    static let checkOK = MetricFamily(
        "wsm_check_ok", .gauge, labels: ["check"],
        "1 if a check of readiness passes, else 0.")

    static let connections = MetricFamily(
        "wsm_connections", .gauge, labels: ["state"], "Desired connections by their phase.")
    static let dials = MetricFamily(
        "wsm_dials_total", .counter, labels: DialOutcome.names,
        "Dials that ended, by result and class of failure.")
    static let dialDuration = MetricFamily(
        "wsm_dial_duration_seconds", .histogram,
        "From the begin of a dial to its end, resolution, TLS and upgrade included.")
    static let disconnects = MetricFamily(
        "wsm_disconnects_total", .counter, labels: DisconnectKind.names,
        "Sockets that were up and ended, by cause and close code.")
    static let gaps = MetricFamily(
        "wsm_gaps_total", .counter, "Gap events: a feed came back after it was down.")
    static let pings = MetricFamily(
        "wsm_pings_total", .counter, labels: PingResult.names,
        "Pings that were answered, and those that ended a socket.")

    static let messagesReceived = MetricFamily(
        "wsm_messages_received_total", .counter, labels: ["kind"],
        "Messages that came; unread are those above maxMessageSize.")
    static let receivedBytes = MetricFamily(
        "wsm_received_bytes_total", .counter, "Bytes read from sockets, after TLS.")
    static let loopRests = MetricFamily(
        "wsm_loop_rests_total", .counter,
        "Times an event loop waited for more messages to come (--read-coalescing).")
    static let published = MetricFamily(
        "wsm_publish_total", .counter, labels: ["result"],
        "Messages handed to the bus: accepted, refused for good, or unavailable and tried again.")
    static let bufferMessages = MetricFamily(
        "wsm_buffer_messages", .gauge, "Messages that wait for the bus.")
    static let bufferBytes = MetricFamily(
        "wsm_buffer_bytes", .gauge, "What these count for against --buffer-limit.")
    static let bufferLimit = MetricFamily("wsm_buffer_limit_bytes", .gauge, "--buffer-limit.")
    static let dropped = MetricFamily(
        "wsm_dropped_total", .counter, labels: ["reason"],
        "Messages that came and did not reach the bus.")
    static let publishedLate = MetricFamily(
        "wsm_published_late_total", .counter,
        "Messages and lifecycle events whose publish call ended later than ownership allows for: "
            + "another owner may have published before.")
    static let shadowMessages = MetricFamily(
        "wsm_shadow_messages_total", .counter, labels: ShadowFate.names,
        "Messages read for shards of other owners, ahead of a hand-over.")
    static let eventsDropped = MetricFamily(
        "wsm_lifecycle_events_dropped_total", .counter,
        "Lifecycle events that the bus did not take in time, or whose owner changed before.")
    static let sends = MetricFamily(
        "wsm_sends_total", .counter, labels: SendResult.names, "Calls of Send and SendRaw.")

    static let reconciled = MetricFamily(
        "wsm_reconcile_total", .counter, labels: ["result"],
        "Passes over one connection: done (compared by a resync and left alone included), "
            + "requeued for a time, or failed.")
    static let reconcileDuration = MetricFamily(
        "wsm_reconcile_duration_seconds", .histogram, "Length of a pass.")
    static let queueDepth = MetricFamily(
        "wsm_workqueue_depth", .gauge, "Connections to be looked at, now or at a set time.")
    static let queueAdds = MetricFamily(
        "wsm_workqueue_adds_total", .counter, "Connections put into the queue.")
    static let queueRetries = MetricFamily(
        "wsm_workqueue_retries_total", .counter, "Of these, after a failed pass.")
    static let queueProcessing = MetricFamily(
        "wsm_workqueue_processing", .gauge, "Passes under way.")
    static let storeOperations = MetricFamily(
        "wsm_state_store_operations_total", .counter, labels: StoreOperation.names,
        "Calls to the state store.")
    static let manifests = MetricFamily(
        "wsm_manifests_total", .counter, labels: ["result"],
        "States of the manifest directory: put in force, or refused and reported.")

    static let clusterMembers = MetricFamily(
        "wsm_cluster_members", .gauge, labels: ["state"],
        "Members by state, as this instance sees them; all zero for a server that is alone.")
    static let clusterShards = MetricFamily(
        "wsm_cluster_shards", .gauge, labels: ["state"],
        "Shards by state, as this instance sees them: serving, loading and moving are its own.")
    static let clusterFenced = MetricFamily(
        "wsm_cluster_fenced", .gauge, "1 while this instance may not act, since its lease ran out.")
    static let clusterEvents = MetricFamily(
        "wsm_cluster_events_total", .counter, labels: ClusterEvent.names,
        "What the ownership protocol did at this instance.")
    static let peerMessages = MetricFamily(
        "wsm_cluster_peer_messages_total", .counter, labels: ["result"],
        "Messages to other members: delivered, lost on the way (they may have arrived all the same), "
            + "or dropped unsent since too many waited. The protocol asks again.")

    static let processCPU = MetricFamily(
        "process_cpu_seconds_total", .counter, "User and system time of the process.")
    static let processStart = MetricFamily(
        "process_start_time_seconds", .gauge, "Unix time of the start of the server.")
    static let residentMemory = MetricFamily(
        "process_resident_memory_bytes", .gauge, "Resident memory.")
    static let virtualMemory = MetricFamily(
        "process_virtual_memory_bytes", .gauge, "Virtual memory.")
    static let openFiles = MetricFamily("process_open_fds", .gauge, "Open file descriptors.")
    static let maxFiles = MetricFamily(
        "process_max_fds", .gauge, "Most file descriptors the process may open.")
}

extension MetricCatalogue {
    /// The page `docs/metrics.md`, made from the catalogue and nothing else.
    package static func markdown(_ values: [String: String]) -> String {
        var page = introduction
        page += "| metric | kind | labels | what it is |\n|---|---|---|---|\n"
        for family in families {
            let labels = family.labels.map { "`\($0)`: \(values["\(family.name).\($0)"] ?? "")" }
            page += "| `\(family.name)` | \(family.kind.rawValue) | "
            page += labels.joined(separator: "; ") + " | \(family.help) |\n"
        }
        return page
    }

    private static let introduction = """
        # Metrics

        `GET /metrics` on the HTTP port, in the Prometheus text format 0.0.4. Made from the catalogue of
        metrics; `WSM_REWRITE=1 make test` writes this page anew.

        - Every series is there from the start, at zero; no label ever carries the name of a connection, an
          address or a URL. What one connection does is told by `wsm-apply describe NAME`.
        - Counters count from the start of the process and never fall: those of a connection that is deleted
          stay in the sum.
        - Nothing is counted twice for a message: the counters that each connection keeps anyway are added
          up when `/metrics` is asked.


        """
}

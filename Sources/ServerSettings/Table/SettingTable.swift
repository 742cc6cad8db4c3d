import Manager
import Spec

/// Every setting of `wsm-server`, once.
package enum SettingTable {
    package static let settings: [Setting] =
        file + ports + access + state + cluster + limits + secrets + imperative + logs + dapr

    private static let byName: [SettingName: Setting] = Dictionary(
        settings.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    package static subscript(name: SettingName) -> Setting {
        guard let setting = byName[name] else {
            preconditionFailure("the table of settings has no \(name.rawValue)")
        }
        return setting
    }

    private static let file = [
        Setting(
            .config, "File", .path, note: "none", variable: "WSM_CONFIG_FILE", inFile: false,
            "A YAML file with settings.")
    ]

    private static let ports = [
        Setting(
            .bind, "Ports", .text(bytes: 1...253), default: "127.0.0.1",
            "Address that both ports listen on."),
        Setting(
            .httpPort, short: "s", "Ports", .integer(0...65_535), default: "5001",
            aliases: [.init("HttpPort")],
            "Port of HTTP/JSON, probes and metrics; 0 takes a free one."),
        Setting(
            .grpcPort, short: "g", "Ports", .integer(0...65_535), default: "5002",
            aliases: [.init("GrpcPort")], "Port of the gRPC API; 0 takes a free one."),
        Setting(
            .allowedOrigins, "Ports", .list, note: "none",
            aliases: [.init("Cors__AllowedOrigins", .indexed)],
            "Origins, and names for `Host`, that the HTTP port answers beside its own."),
    ]

    private static let access = [
        Setting(
            .tlsCert, "Access", .path, note: "none: plaintext",
            "PEM file of the server's certificate chain, for both ports."),
        Setting(
            .tlsKey, "Access", .path, note: "none", "PEM file of the key of `--tls-cert`."),
        Setting(
            .tokenFile, "Access", .path, note: "none", variable: "WSM_SERVER_TOKEN_FILE",
            "File of the tokens that callers may enter with, and their roles."),
        Setting(
            .clientCA, "Access", .path, note: "none",
            "PEM file of the authorities that callers' certificates come from."),
        Setting(
            .insecure, "Access", .flag, default: "false", variable: "WSM_SERVER_INSECURE",
            "Lets a server beyond loopback run without knowing its callers."),
        Setting(
            .allowCIDR, "Access", .list, note: "none",
            "Address ranges that may be dialled beyond what the egress guard allows by itself."),
    ]

    private static let state = [
        Setting(
            .dataDir, "State", .path,
            note: "`$XDG_STATE_HOME/wsm`; as root `/var/lib/wsm`; else `~/.local/state/wsm`",
            "Where the state is kept."),
        Setting(
            .instanceID, "State", .text(bytes: 1...253),
            note: "`HOSTNAME` (or the host's name), `-` and the gRPC port",
            "Name of this instance, in events, statuses and logs."),
        Setting(
            .manifests, "State", .path, note: "none",
            "Directory of manifests that is the truth for its set."),
        Setting(
            .manifestsSet, "State", .text(bytes: 1...253), default: "manifests",
            "The set that `--manifests` is the truth for."),
        Setting(
            .state, "State", .choice(StateKind.allCases.map(\.rawValue)), default: "sqlite",
            "What keeps the state: a file in `--data-dir`, or a Dapr state store."),
        Setting(
            .bus, "State", .choice(BusKind.allCases.map(\.rawValue)), default: "local",
            "Where messages are published: topics in the process, or a broker behind Dapr."),
    ]

    private static let cluster = [
        Setting(
            .sharedState, "Cluster", .flag, default: "false",
            "Several servers of this machine share the data directory and form a cluster."),
        Setting(
            .advertise, "Cluster", .text(bytes: 1...253),
            note: "the address of `--bind`, or the host's name, and the gRPC port",
            "Where other members reach this one: host:port."),
        Setting(
            .leaseProfile, "Cluster", .choice(LeaseProfile.allCases.map(\.rawValue)),
            default: "standard",
            "Times of the ownership protocol; `fast` is a quarter of every one of them."),
        Setting(
            .weight, "Cluster", .integer(1...100), default: "1",
            "Share of the connections, beside the weights of the other members."),
        Setting(
            .forward, "Cluster", .choice(["on", "off"]), default: "on",
            "Whether a call for another member's connection is passed on or refused."),
        Setting(
            .peerTokenFile, "Cluster", .path, note: "none: members of this machine only",
            "File of the secret by which members know each other."),
        Setting(
            .peerCA, "Cluster", .path,
            note: "those of the system, and then names must be right",
            "PEM file of the authorities that members' certificates come from."),
    ]

    private static let limits = [
        Setting(
            .bufferLimit, "Limits", .size(atLeast: 1 << 20), default: "1GiB",
            "Bound of all message buffers together."),
        Setting(
            .replayMessages, "Limits", .integer(1...10_000_000), default: "10000",
            "Messages a topic keeps for subscribers that are slow, come late or come back."),
        Setting(
            .replayBytes, "Limits", .size(atLeast: 1 << 16), default: "16MiB",
            "Bytes of them; the older go first."),
        Setting(
            .subscriberBacklog, "Limits", .size(atLeast: 0), default: "64MiB",
            "Bytes up to which a topic keeps more than that of what a connected subscriber has not "
                + "read yet; 0B for nothing more."),
        Setting(
            .readCoalescing, "Limits", .duration(.zero ... .milliseconds(10)), default: "0.3ms",
            "Longest that messages wait to be read together where several connections bring them "
                + "one by one; 0 for never."),
        Setting(
            .dialRate, "Limits", .number, default: "200",
            "Dials a second to one host:port in the long run."),
        Setting(
            .dialBurst, "Limits", .integer(1...1_000_000), default: "200",
            "Dials to one host:port at once after a quiet time."),
        Setting(
            .dialConcurrency, "Limits", .integer(1...1_000_000), default: "256",
            "Dials to one host:port under way at one time."),
        Setting(
            .drainTimeout, "Limits", .duration(.zero ... .seconds(3600)), default: "10s",
            "Longest time for the orderly end."),
    ]

    private static let secrets = [
        Setting(
            .secretsDir, "Secrets", .path, note: "none: every `valueFrom: {file: …}` is refused",
            "Directory that secrets with `file` come from."),
        Setting(
            .secretEnvPrefix, "Secrets", .text(bytes: 1...128), default: "WSM_SECRET_",
            "What names of secrets with `env` start with."),
    ]

    private static let imperative = [
        Setting(
            .apiMaxAttempts, "Connections made by Connect", .attempts(0...1_000_000), default: "0",
            aliases: [.init("WebSocketOptions__ReconnectMaxAttempts", .attempts)],
            "Failed dials in a row before giving up; `none` never dials again."),
        Setting(
            .apiReconnectBase, "Connections made by Connect",
            .duration(.milliseconds(10) ... .seconds(3600)), default: "1s",
            aliases: [.init("WebSocketOptions__ReconnectBaseDelayMs", .milliseconds)],
            "The shortest wait before the next dial."),
        Setting(
            .apiSendTimeout, "Connections made by Connect",
            .duration(.milliseconds(1) ... .seconds(600)), default: "10s",
            aliases: [.init("WebSocketOptions__DefaultTimeoutMs", .milliseconds)],
            "How long a reply to Send may take where the call does not say."),
    ]

    private static let logs = [
        Setting(
            .logLevel, short: "l", "Logs", .level, default: "info",
            aliases: [.init("Logging__LogLevel__Default")], "What is logged."),
        Setting(
            .logFormat, "Logs", .choice(LogFormat.allCases.map(\.rawValue)), default: "text",
            "How a log line is written."),
    ]

    private static let dapr = [
        Setting(
            .daprHTTPPort, "Dapr", .integer(0...65_535), default: "3500",
            aliases: [.init("DaprHttpPort"), .init("DAPR_HTTP_PORT")],
            "HTTP port of the sidecar on this machine. \(endpoint("HTTP"))"),
        Setting(
            .daprGRPCPort, "Dapr", .integer(0...65_535), default: "50001",
            aliases: [.init("DaprGrpcPort"), .init("DAPR_GRPC_PORT")],
            "gRPC port of the sidecar on this machine. \(endpoint("GRPC"))"),
        Setting(
            .pubsubName, short: "n", "Dapr", .text(bytes: 1...253), default: "pubsub",
            aliases: [.init("pubsubName")], "The pub/sub component of `--bus dapr`."),
        Setting(
            .stateStoreName, short: "t", "Dapr", .text(bytes: 1...253), default: "statestore",
            aliases: [.init("stateStoreName")], "The state component of `--state dapr`."),
        Setting(
            .daprMaxBodySize, "Dapr", .size(atLeast: 1 << 20), default: "4MiB",
            "The largest message that the sidecar takes: its own `--max-body-size`."),
        Setting(
            .daprStartTimeout, "Dapr", .duration(.zero ... .seconds(3600)), default: "1m",
            "How long to wait at the start for the sidecar."),
    ]

    private static func endpoint(_ protocolName: String) -> String {
        "`DAPR_\(protocolName)_ENDPOINT` wins over it."
    }

    /// Settings that only Dapr uses.
    package static let ofDapr: [SettingName] = dapr.map(\.name)
}

import Spec

/// One row of ``SettingTable``: everything that is to be known of one setting of the server.
///
/// Flags, environment, `--config` file, `--print-config`, the sentences of errors and the page
/// `docs/configuration.md` are all made from it.
package struct Setting: Sendable {
    /// An environment variable of the older service, of its framework, or of Dapr.
    package struct Alias: Sendable, Hashable {
        package enum Form: Sendable, Hashable {
            /// As the flag takes it.
            case same
            /// A whole number of milliseconds.
            case milliseconds
            /// One variable for each element: the name, two underscores, and 0, 1, 2, …
            case indexed
            /// A number of attempts of which 0 means none.
            case attempts
        }

        package let name: String
        package let form: Form

        package init(_ name: String, _ form: Form = .same) {
            self.name = name
            self.form = form
        }
    }

    package let name: SettingName
    package let short: Character?
    package let section: String
    /// After `WSM_…`, in this order. Upper and lower case are the same, as the older service has it.
    package let aliases: [Alias]
    /// The name of the `WSM_…` variable where it does not follow from the flag's.
    private let variableName: String?
    /// `nil`: not from a file.
    package let fileKey: String?
    package let kind: SettingKind
    /// As the flag would take it; `nil` has no default or one that depends on the machine.
    package let defaultText: String?
    /// What ``defaultText`` cannot say.
    package let defaultNote: String?
    package let isSecret: Bool
    /// One sentence for people.
    package let summary: String

    package init(
        _ name: SettingName, short: Character? = nil, _ section: String, _ kind: SettingKind,
        default defaultText: String? = nil, note: String? = nil, aliases: [Alias] = [],
        variable: String? = nil, inFile: Bool = true, isSecret: Bool = false, _ summary: String
    ) {
        self.name = name
        self.short = short
        self.section = section
        self.kind = kind
        self.defaultText = defaultText
        defaultNote = note
        self.aliases = aliases
        variableName = variable
        fileKey = inFile ? Self.camelCase(name.rawValue) : nil
        self.isSecret = isSecret
        self.summary = summary
    }

    package var flag: String { "--\(name.rawValue)" }

    /// `WSM_` and the flag's name in capitals, dashes as underscores.
    package var variable: String {
        variableName ?? "WSM_" + name.rawValue.uppercased().replacing("-", with: "_")
    }

    /// The text of `--help`.
    package var help: String {
        guard let text = defaultNote ?? defaultText else { return summary }
        let known = summary.hasSuffix(".") ? String(summary.dropLast()) : summary
        return "\(known) (default \(text.replacing("`", with: "")))."
    }

    private static func camelCase(_ flag: String) -> String {
        let words = flag.split(separator: "-")
        return words.enumerated().map { index, word in
            index == 0 ? String(word) : word.prefix(1).uppercased() + word.dropFirst()
        }.joined()
    }
}

/// The settings by the names of their flags.
package enum SettingName: String, Sendable, Hashable, CaseIterable {
    case config
    case bind
    case grpcPort = "grpc-port"
    case httpPort = "http-port"
    case allowedOrigins = "allowed-origins"
    case tlsCert = "tls-cert"
    case tlsKey = "tls-key"
    case tokenFile = "token-file"
    case clientCA = "client-ca"
    case insecure
    case allowCIDR = "allow-cidr"
    case manifests
    case manifestsSet = "manifests-set"
    case dataDir = "data-dir"
    case instanceID = "instance-id"
    case bufferLimit = "buffer-limit"
    case replayMessages = "replay-messages"
    case replayBytes = "replay-bytes"
    case subscriberBacklog = "subscriber-backlog"
    case readCoalescing = "read-coalescing"
    case dialRate = "dial-rate"
    case dialBurst = "dial-burst"
    case dialConcurrency = "dial-concurrency"
    case drainTimeout = "drain-timeout"
    case secretsDir = "secrets-dir"
    case secretEnvPrefix = "secret-env-prefix"
    case apiMaxAttempts = "api-max-attempts"
    case apiReconnectBase = "api-reconnect-base"
    case apiSendTimeout = "api-send-timeout"
    case logLevel = "log-level"
    case logFormat = "log-format"
    case state
    case sharedState = "shared-state"
    case bus
    case advertise
    case leaseProfile = "lease-profile"
    case weight
    case forward
    case peerTokenFile = "peer-token-file"
    case peerCA = "peer-ca"
    case daprHTTPPort = "dapr-http-port"
    case daprGRPCPort = "dapr-grpc-port"
    case pubsubName = "pubsub-name"
    case stateStoreName = "state-store-name"
    case daprMaxBodySize = "dapr-max-body-size"
    case daprStartTimeout = "dapr-start-timeout"
}

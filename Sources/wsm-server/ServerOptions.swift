import ArgumentParser
import Logging
import Manager
import Reconciler
import Spec

/// The options of `wsm-server`, and how one that is not given is found.
struct ServerOptions: ParsableArguments {
    @Option(
        help: """
            The address to listen on (default 127.0.0.1). Beyond loopback it needs --tls-cert and \
            --tls-key, with --token-file or --client-ca.
            """)
    var bind: String?

    @Option(help: "PEM file of the server's certificate chain, for both ports.")
    var tlsCert: String?

    @Option(help: "PEM file of the certificate's private key.")
    var tlsKey: String?

    @Option(help: "Who may enter: a file with a line ROLE NAME TOKEN for each.")
    var tokenFile: String?

    @Option(help: "PEM file of the authorities whose client certificates may enter.")
    var clientCa: String?

    @Flag(help: "Let everybody in beyond loopback, or in plain text.")
    var insecure = false

    @Option(name: [.customShort("g"), .long], help: "Port of the gRPC API (default 5002).")
    var grpcPort: Int?

    @Option(
        help: "Where the state is kept (default $XDG_STATE_HOME/wsm, as root /var/lib/wsm).")
    var dataDir: String?

    @Option(help: "Name of this instance (default: host name and gRPC port).")
    var instanceId: String?

    @Option(help: "Bound of all message buffers together (default 1GiB).")
    var bufferLimit: String?

    @Option(help: "Dials a second to one host:port (default 200).")
    var dialRate: Double?

    @Option(help: "Dials to one host:port at once after a quiet time (default 200).")
    var dialBurst: Int?

    @Option(help: "Dials to one host:port running at one time (default 256).")
    var dialConcurrency: Int?

    @Option(help: "Longest time for the orderly end (default 10s).")
    var drainTimeout: String?

    @Option(help: "Directory that secrets with `file` come from (default: none, all refused).")
    var secretsDir: String?

    @Option(help: "What names of secrets with `env` start with (default WSM_SECRET_).")
    var secretEnvPrefix: String?

    @Option(
        name: [.customShort("l"), .long],
        help: "trace, debug, info, notice, warning, error, critical (default info).")
    var logLevel: String?

    struct Invalid: Error, CustomStringConvertible {
        var description: String
    }

    func resolve(
        _ environment: [String: String]
    ) throws -> (ServerConfiguration, Logger.Level) {
        let source = Source(environment: environment)
        let grpcPort = try source.number(grpcPort, "grpc-port") ?? 5002
        let host = environment["HOSTNAME"] ?? ProcessLimits.hostName
        var configuration = ServerConfiguration(
            dataDirectory: source.text(dataDir, "data-dir")
                ?? Self.defaultDataDirectory(environment),
            instanceID: source.text(instanceId, "instance-id") ?? "\(host)-\(grpcPort)")
        configuration.bind = source.text(bind, "bind") ?? configuration.bind
        configuration.grpcPort = grpcPort
        configuration.tlsCertificatePath = source.text(tlsCert, "tls-cert")
        configuration.tlsKeyPath = source.text(tlsKey, "tls-key")
        configuration.tokenFile = source.text(tokenFile, "token-file")
        configuration.clientCAPath = source.text(clientCa, "client-ca")
        configuration.isInsecure = insecure || source.text(nil, "insecure") == "true"
        configuration.bufferLimit =
            try source.size(bufferLimit, "buffer-limit") ?? configuration.bufferLimit
        configuration.drainTimeout =
            try source.duration(drainTimeout, "drain-timeout") ?? configuration.drainTimeout
        configuration.secretsDirectory = source.text(secretsDir, "secrets-dir")
        configuration.secretEnvironmentPrefix =
            source.text(secretEnvPrefix, "secret-env-prefix")
            ?? configuration.secretEnvironmentPrefix
        configuration.environment = environment
        let defaults = configuration.reconciler
        configuration.reconciler.dialRate =
            try source.number(dialRate, "dial-rate") ?? defaults.dialRate
        configuration.reconciler.dialBurst =
            try source.number(dialBurst, "dial-burst") ?? defaults.dialBurst
        configuration.reconciler.dialConcurrency =
            try source.number(dialConcurrency, "dial-concurrency") ?? defaults.dialConcurrency
        let level = source.text(logLevel, "log-level") ?? "info"
        guard let parsed = Logger.Level(rawValue: level.lowercased()) else {
            throw Invalid(description: "--log-level is \(level): see --help")
        }
        return (configuration, parsed)
    }

    private static func defaultDataDirectory(_ environment: [String: String]) -> String {
        if let state = environment["XDG_STATE_HOME"], !state.isEmpty { return state + "/wsm" }
        if ProcessLimits.isRoot { return "/var/lib/wsm" }
        return (environment["HOME"] ?? "/tmp") + "/.local/state/wsm"
    }

    /// Command line first, then `WSM_…`.
    private struct Source {
        var environment: [String: String]

        func text(_ given: String?, _ name: String) -> String? {
            given ?? environment[Self.variable(name)]
        }

        func number<Number: LosslessStringConvertible>(
            _ given: Number?, _ name: String
        ) throws -> Number? {
            if let given { return given }
            guard let text = environment[Self.variable(name)] else { return nil }
            guard let number = Number(text) else {
                throw Invalid(description: "\(Self.variable(name)) is \(text): not a number")
            }
            return number
        }

        func size(_ given: String?, _ name: String) throws -> Int? {
            guard let text = text(given, name) else { return nil }
            do {
                return try SizeText.parse(text)
            } catch {
                throw Invalid(description: "--\(name): \(error)")
            }
        }

        func duration(_ given: String?, _ name: String) throws -> Duration? {
            guard let text = text(given, name) else { return nil }
            do {
                return try DurationText.parse(text)
            } catch {
                throw Invalid(description: "--\(name): \(error)")
            }
        }

        static func variable(_ name: String) -> String {
            "WSM_" + name.uppercased().replacing("-", with: "_")
        }
    }
}

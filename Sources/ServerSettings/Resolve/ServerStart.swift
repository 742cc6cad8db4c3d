import Dapr
package import Logging
package import Manager
import ManagerCore
import Reconciler
import Spec

/// What `wsm-server` starts with: the configuration of the server, and how it logs.
package struct ServerStart: Sendable {
    package var configuration: ServerConfiguration
    /// `nil`: nothing at all.
    package var logLevel: Logger.Level?
    package var logFormat: LogFormat

    /// Why the settings cannot be used: every problem, a line each.
    package struct Invalid: Error, CustomStringConvertible {
        package var problems: [String]

        package var description: String { problems.joined(separator: "\n") }
    }

    /// - Throws: ``Invalid`` with every problem, each naming where the value came from.
    package init(
        _ settings: ResolvedSettings, environment: [String: String]
    ) throws(Invalid) {
        guard settings.problems.isEmpty else { throw Invalid(problems: settings.problems) }
        configuration = ServerConfiguration(settings, environment: environment)
        if configuration.state == .dapr || configuration.bus == .dapr {
            do throws(DaprEnvironment.Fault) {
                configuration.dapr = try DaprSettings(settings, environment: environment)
            } catch {
                throw Invalid(problems: [error.description])
            }
        }
        if case .level(let level) = settings.value(.logLevel) {
            logLevel = level
        } else {
            logLevel = .info
        }
        logFormat = settings.text(.logFormat).flatMap(LogFormat.init(rawValue:)) ?? .text
        do throws(ServerConfiguration.Invalid) {
            try configuration.validate()
        } catch {
            throw Invalid(problems: [settings.explained(error.description)])
        }
    }
}

extension ServerConfiguration {
    fileprivate init(_ settings: ResolvedSettings, environment: [String: String]) {
        self.init(
            dataDirectory: settings.text(.dataDir) ?? "",
            instanceID: settings.text(.instanceID) ?? "")
        bind = settings.text(.bind) ?? bind
        grpcPort = settings.integer(.grpcPort) ?? grpcPort
        httpPort = settings.integer(.httpPort) ?? httpPort
        allowedOrigins = settings.list(.allowedOrigins)
        tlsCertificatePath = settings.text(.tlsCert)
        tlsKeyPath = settings.text(.tlsKey)
        tokenFile = settings.text(.tokenFile)
        clientCAPath = settings.text(.clientCA)
        peerTokenFile = settings.text(.peerTokenFile)
        peerCAPath = settings.text(.peerCA)
        isInsecure = settings.flag(.insecure)
        allowedCIDRs = settings.list(.allowCIDR)
        manifestsDirectory = settings.text(.manifests)
        manifestsSet = settings.text(.manifestsSet) ?? manifestsSet
        cluster = ClusterSettings(settings)
        bufferLimit = settings.integer(.bufferLimit) ?? bufferLimit
        retention.replay.messages =
            settings.integer(.replayMessages) ?? retention.replay.messages
        retention.replay.bytes = settings.integer(.replayBytes) ?? retention.replay.bytes
        retention.backlogBytes =
            settings.integer(.subscriberBacklog) ?? retention.backlogBytes
        readCoalescing = settings.duration(.readCoalescing) ?? readCoalescing
        drainTimeout = settings.duration(.drainTimeout) ?? drainTimeout
        secretsDirectory = settings.text(.secretsDir)
        secretEnvironmentPrefix = settings.text(.secretEnvPrefix) ?? secretEnvironmentPrefix
        self.environment = environment
        reconciler.dialRate = settings.number(.dialRate) ?? reconciler.dialRate
        reconciler.dialBurst = settings.integer(.dialBurst) ?? reconciler.dialBurst
        reconciler.dialConcurrency =
            settings.integer(.dialConcurrency) ?? reconciler.dialConcurrency
        apiDefaults = APIConnectionDefaults(settings)
        state = settings.text(.state).flatMap(StateKind.init(rawValue:)) ?? state
        bus = settings.text(.bus).flatMap(BusKind.init(rawValue:)) ?? bus
    }
}

extension DaprSettings {
    fileprivate init(
        _ settings: ResolvedSettings, environment variables: [String: String]
    ) throws(DaprEnvironment.Fault) {
        self.init()
        // The ports of the environment are among the settings already.
        environment = try DaprEnvironment(
            variables: variables, grpcPort: settings.integer(.daprGRPCPort),
            httpPort: settings.integer(.daprHTTPPort))
        stateStoreName = settings.text(.stateStoreName) ?? stateStoreName
        pubsubName = settings.text(.pubsubName) ?? pubsubName
        maxBodySize = settings.integer(.daprMaxBodySize) ?? maxBodySize
        startTimeout = settings.duration(.daprStartTimeout) ?? startTimeout
    }
}

extension ClusterSettings {
    fileprivate init(_ settings: ResolvedSettings) {
        self.init()
        isShared = settings.flag(.sharedState)
        advertise = settings.text(.advertise)
        profile = settings.text(.leaseProfile).flatMap(LeaseProfile.init) ?? profile
        weight = settings.integer(.weight) ?? weight
        forwards = settings.text(.forward) != "off"
    }
}

extension ServerConfiguration.APIConnectionDefaults {
    fileprivate init(_ settings: ResolvedSettings) {
        self.init()
        if settings.text(.apiMaxAttempts) == SettingKind.noAttempts { neverReconnects = true }
        maxAttempts = settings.integer(.apiMaxAttempts)
        reconnectBase = settings.duration(.apiReconnectBase)
        sendTimeout = settings.duration(.apiSendTimeout)
    }
}

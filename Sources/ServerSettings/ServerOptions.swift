package import ArgumentParser

/// The flags of `wsm-server`. What they mean is in ``SettingTable``; here they only get their places
/// on the command line, as text, so that each error can say where a value came from.
package struct ServerOptions: ParsableArguments {
    @Option(.config) package var config: String?
    @Option(.bind) package var bind: String?
    @Option(.httpPort) package var httpPort: String?
    @Option(.grpcPort) package var grpcPort: String?
    @Option(.allowedOrigins) package var allowedOrigins: [String] = []
    @Option(.tlsCert) package var tlsCert: String?
    @Option(.tlsKey) package var tlsKey: String?
    @Option(.tokenFile) package var tokenFile: String?
    @Option(.clientCA) package var clientCA: String?
    @Flag(.insecure) package var insecure = false
    @Option(.allowCIDR) package var allowCIDR: [String] = []
    @Option(.dataDir) package var dataDir: String?
    @Option(.instanceID) package var instanceID: String?
    @Option(.manifests) package var manifests: String?
    @Option(.manifestsSet) package var manifestsSet: String?
    @Option(.state) package var state: String?
    @Option(.bus) package var bus: String?
    @Flag(.sharedState) package var sharedState = false
    @Option(.advertise) package var advertise: String?
    @Option(.leaseProfile) package var leaseProfile: String?
    @Option(.weight) package var weight: String?
    @Option(.forward) package var forward: String?
    @Option(.peerTokenFile) package var peerTokenFile: String?
    @Option(.peerCA) package var peerCA: String?
    @Option(.bufferLimit) package var bufferLimit: String?
    @Option(.replayMessages) package var replayMessages: String?
    @Option(.replayBytes) package var replayBytes: String?
    @Option(.subscriberBacklog) package var subscriberBacklog: String?
    @Option(.readCoalescing) package var readCoalescing: String?
    @Option(.dialRate) package var dialRate: String?
    @Option(.dialBurst) package var dialBurst: String?
    @Option(.dialConcurrency) package var dialConcurrency: String?
    @Option(.drainTimeout) package var drainTimeout: String?
    @Option(.secretsDir) package var secretsDir: String?
    @Option(.secretEnvPrefix) package var secretEnvPrefix: String?
    @Option(.apiMaxAttempts) package var apiMaxAttempts: String?
    @Option(.apiReconnectBase) package var apiReconnectBase: String?
    @Option(.apiSendTimeout) package var apiSendTimeout: String?
    @Option(.logLevel) package var logLevel: String?
    @Option(.logFormat) package var logFormat: String?
    @Option(.daprHTTPPort) package var daprHTTPPort: String?
    @Option(.daprGRPCPort) package var daprGRPCPort: String?
    @Option(.pubsubName) package var pubsubName: String?
    @Option(.stateStoreName) package var stateStoreName: String?
    @Option(.daprMaxBodySize) package var daprMaxBodySize: String?
    @Option(.daprStartTimeout) package var daprStartTimeout: String?

    @Flag(help: "Prints every setting with its value and where it comes from, and ends.")
    package var printConfig = false

    @Option(
        name: .shortAndLong, help: "How --print-config prints: text or json (default text).")
    package var output: Output = .text

    package enum Output: String, Sendable, CaseIterable, ExpressibleByArgument {
        case text, json
    }

    package init() {}

    /// What was given, as it was written.
    package var given: [SettingName: [String]] {
        let single: [(SettingName, String?)] = [
            (.config, config), (.bind, bind), (.httpPort, httpPort), (.grpcPort, grpcPort),
            (.tlsCert, tlsCert), (.tlsKey, tlsKey), (.tokenFile, tokenFile),
            (.clientCA, clientCA), (.insecure, insecure ? "true" : nil), (.dataDir, dataDir),
            (.instanceID, instanceID), (.manifests, manifests), (.manifestsSet, manifestsSet),
            (.state, state), (.bus, bus), (.sharedState, sharedState ? "true" : nil),
            (.advertise, advertise), (.leaseProfile, leaseProfile), (.weight, weight),
            (.forward, forward), (.peerTokenFile, peerTokenFile), (.peerCA, peerCA),
            (.bufferLimit, bufferLimit), (.replayMessages, replayMessages),
            (.replayBytes, replayBytes), (.subscriberBacklog, subscriberBacklog),
            (.readCoalescing, readCoalescing), (.dialRate, dialRate), (.dialBurst, dialBurst),
            (.dialConcurrency, dialConcurrency),
            (.drainTimeout, drainTimeout), (.secretsDir, secretsDir),
            (.secretEnvPrefix, secretEnvPrefix), (.apiMaxAttempts, apiMaxAttempts),
            (.apiReconnectBase, apiReconnectBase), (.apiSendTimeout, apiSendTimeout),
            (.logLevel, logLevel), (.logFormat, logFormat), (.daprHTTPPort, daprHTTPPort),
            (.daprGRPCPort, daprGRPCPort), (.pubsubName, pubsubName),
            (.stateStoreName, stateStoreName), (.daprMaxBodySize, daprMaxBodySize),
            (.daprStartTimeout, daprStartTimeout),
        ]
        var given: [SettingName: [String]] = [:]
        for (name, text) in single { given[name] = text.map { [$0] } }
        if !allowedOrigins.isEmpty { given[.allowedOrigins] = allowedOrigins }
        if !allowCIDR.isEmpty { given[.allowCIDR] = allowCIDR }
        return given
    }
}

// MARK: From the table

extension SettingName {
    fileprivate var flagName: NameSpecification {
        let long = NameSpecification.Element.customLong(rawValue)
        guard let short = SettingTable[self].short else { return NameSpecification([long]) }
        return NameSpecification([.customShort(short), long])
    }

    fileprivate var help: ArgumentHelp { ArgumentHelp(stringLiteral: SettingTable[self].help) }
}

extension Option<String?> {
    fileprivate init(_ name: SettingName) {
        self.init(name: name.flagName, help: name.help)
    }
}

extension Option<[String]> {
    fileprivate init(wrappedValue: [String], _ name: SettingName) {
        self.init(wrappedValue: wrappedValue, name: name.flagName, help: name.help)
    }
}

extension Flag<Bool> {
    fileprivate init(wrappedValue: Bool, _ name: SettingName) {
        self.init(wrappedValue: wrappedValue, name: name.flagName, help: name.help)
    }
}

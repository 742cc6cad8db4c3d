import Spec

extension ServerConfiguration.APIConnectionDefaults {
    /// Fills in what a `Connect` cannot say.
    func apply(to spec: inout ConnectionSpec) {
        if neverReconnects { spec.autoReconnect = false }
        if let maxAttempts { spec.reconnect.maxAttempts = maxAttempts }
        if let reconnectBase {
            spec.reconnect.base = reconnectBase
            // As in a manifest, a default gives way to what is declared.
            spec.reconnect.cap = max(spec.reconnect.cap, reconnectBase)
        }
        if let sendTimeout { spec.correlation.timeout = sendTimeout }
    }
}

/// What a person declares of one connection, with every default filled in.
///
/// The value is *resolved*: two manifests that mean the same give equal values, however they were
/// spelled. Secrets are references (``Value/secret(_:)``), never their content. Defaults, ranges and
/// the effect of an edit stand in ``FieldTable``, which is generated from nothing else.
package struct ConnectionSpec: Sendable, Hashable {
    /// Where to dial: `ws://` or `wss://`. Valid by construction once compiled; see ``Endpoint``.
    package var url: String
    /// The topic messages are published to. `nil`: received, counted as `noTopic`, not published.
    package var topic: String?
    /// Header name as written → value. Names are unique without case.
    package var headers: [String: Value] = [:]
    package var onOpen: [InitialMessage] = []
    /// What most connections of a fleet have in common.
    package private(set) var settings = Self.defaults

    private static let defaults = Shared(Settings())

    package init(url: String) {
        self.url = url
    }

    /// The fields that say how, and not what: of a thousand connections nearly all have the same, so
    /// each holds a pointer to it.
    package struct Settings: Sendable, Hashable {
        package var autoReconnect = true
        package var subprotocols: [String] = []
        package var requireSubprotocol = false
        package var overlap = true
        package var maxMessageSize = 1 << 20
        package var timeouts = Timeouts()
        package var keepalive = Keepalive()
        package var reconnect = Reconnect()
        package var buffer = Buffer()
        package var publish = Publish()
        package var correlation = Correlation()
        package var tls = TLS()
        package var compression = Compression()
        package init() {}
    }

    /// Keeps its settings where equal ones are kept already.
    ///
    /// - Returns: whether that was elsewhere.
    @discardableResult
    package mutating func share(in pool: inout SharedValues<Settings>) -> Bool {
        let first = pool.first(settings)
        guard first !== settings else { return false }
        settings = first
        return true
    }

    private mutating func edit<Part>(_ part: WritableKeyPath<Settings, Part>, _ value: Part) {
        settings = settings.edited { $0[keyPath: part] = value }
    }
}

extension ConnectionSpec {
    package var autoReconnect: Bool {
        get { settings.value.autoReconnect }
        set { edit(\.autoReconnect, newValue) }
    }

    package var subprotocols: [String] {
        get { settings.value.subprotocols }
        set { edit(\.subprotocols, newValue) }
    }

    package var requireSubprotocol: Bool {
        get { settings.value.requireSubprotocol }
        set { edit(\.requireSubprotocol, newValue) }
    }

    /// Whether the server bears two sockets of the connection while it moves to another instance.
    package var overlap: Bool {
        get { settings.value.overlap }
        set { edit(\.overlap, newValue) }
    }

    /// Largest message accepted, in bytes. A larger one closes with 1009.
    package var maxMessageSize: Int {
        get { settings.value.maxMessageSize }
        set { edit(\.maxMessageSize, newValue) }
    }

    package var timeouts: Timeouts {
        get { settings.value.timeouts }
        set { edit(\.timeouts, newValue) }
    }

    package var keepalive: Keepalive {
        get { settings.value.keepalive }
        set { edit(\.keepalive, newValue) }
    }

    package var reconnect: Reconnect {
        get { settings.value.reconnect }
        set { edit(\.reconnect, newValue) }
    }

    package var buffer: Buffer {
        get { settings.value.buffer }
        set { edit(\.buffer, newValue) }
    }

    package var publish: Publish {
        get { settings.value.publish }
        set { edit(\.publish, newValue) }
    }

    package var correlation: Correlation {
        get { settings.value.correlation }
        set { edit(\.correlation, newValue) }
    }

    package var tls: TLS {
        get { settings.value.tls }
        set { edit(\.tls, newValue) }
    }

    package var compression: Compression {
        get { settings.value.compression }
        set { edit(\.compression, newValue) }
    }
}

extension ConnectionSpec {
    /// One message sent after every upgrade, in order.
    package enum InitialMessage: Sendable, Hashable {
        /// A text message.
        case text(Value)
        /// Standard base64 of one binary message.
        case base64(Value)
    }

    /// How long each part of a dial, and the closing handshake, may take.
    package struct Timeouts: Sendable, Hashable {
        package var dial: Duration = .seconds(20)
        package var resolve: Duration = .seconds(5)
        package var connect: Duration = .seconds(5)
        package var tls: Duration = .seconds(10)
        package var upgrade: Duration = .seconds(10)
        package var close: Duration = .seconds(5)
        package init() {}
    }

    package struct Keepalive: Sendable, Hashable {
        /// Time between pings; zero sends none.
        package var pingInterval: Duration = .seconds(20)
        package var pongTimeout: Duration = .seconds(10)
        package init() {}
    }

    /// Held by the machine of each connection too, and so outside of both.
    package struct Reconnect: Sendable, Hashable {
        private struct Values: Sendable, Hashable {
            var base: Duration = .seconds(1)
            var cap: Duration = .seconds(30)
            var stableAfter: Duration = .seconds(30)
            var maxAttempts = 0
        }

        private static let standard = Shared(Values())

        private var shared = Self.standard

        package init() {}

        private mutating func edit(_ change: (inout Values) -> Void) {
            shared = shared.edited(change)
        }

        package var base: Duration {
            get { shared.value.base }
            set { edit { $0.base = newValue } }
        }

        package var cap: Duration {
            get { shared.value.cap }
            set { edit { $0.cap = newValue } }
        }

        /// Up so long before the attempts count from zero again.
        package var stableAfter: Duration {
            get { shared.value.stableAfter }
            set { edit { $0.stableAfter = newValue } }
        }

        /// Failed attempts in a row before giving up; zero never gives up.
        package var maxAttempts: Int {
            get { shared.value.maxAttempts }
            set { edit { $0.maxAttempts = newValue } }
        }
    }

    package enum Overflow: String, Sendable, Hashable, CaseIterable {
        case block, dropOldest, dropNewest, spill
    }

    /// What policy `spill` may take of the disk.
    package struct Spill: Sendable, Hashable {
        /// Of one connection, in bytes.
        package var bytes = 1 << 30
        /// Older messages are dropped when their turn comes.
        package var maxAge: Duration = .seconds(24 * 3600)
        package init() {}
    }

    package struct Buffer: Sendable, Hashable {
        package var messages = 10_000
        /// In bytes. The compiler fills in the larger of 8 MiB and twice `maxMessageSize`.
        package var bytes = 8 << 20
        package var overflow = Overflow.block
        package var spill = Spill()
        package init() {}
    }

    package enum PublishData: String, Sendable, Hashable, CaseIterable {
        case auto, json, string, base64
    }

    package enum PublishOrder: String, Sendable, Hashable, CaseIterable {
        /// One call at a time for a connection.
        case strict
        /// Many at once, where the broker may mix them up.
        case none
    }

    package enum PublishBatch: String, Sendable, Hashable, CaseIterable {
        /// A message is an event.
        case none
        /// Messages that wait together are one event, whose data is an array.
        case array
    }

    package enum PublishAttributes: String, Sendable, Hashable, CaseIterable {
        case cloudevents
        /// And those of the older service, as it spelled them.
        case upstream
    }

    /// How messages go out; all but `data` and `attributes` is of no meaning for topics in the
    /// process.
    package struct Publish: Sendable, Hashable {
        package var data = PublishData.auto
        package var order = PublishOrder.strict
        package var batch = PublishBatch.none
        package var batchMessages = 500
        /// In bytes.
        package var batchBytes = 256 << 10
        /// How long the first message of a batch may wait for others.
        package var batchDelay: Duration = .milliseconds(5)
        package var attributes = PublishAttributes.cloudevents
        package init() {}
    }

    package enum CorrelationMode: String, Sendable, Hashable, CaseIterable {
        case auto, jsonField, envelope, prefix, next
    }

    package struct Correlation: Sendable, Hashable {
        package var mode = CorrelationMode.auto
        /// Dotted path of the id in a JSON message.
        package var field = "id"
        /// What counts as the reply in mode `next`; `nil` is any message.
        package var match: Match?
        package var timeout: Duration = .seconds(10)
        package var maxPending = 1024
        package init() {}
    }

    package enum TLSVersion: String, Sendable, Hashable, CaseIterable {
        case v12 = "1.2"
        case v13 = "1.3"
    }

    package struct TLS: Sendable, Hashable {
        /// PEM roots that replace the system's.
        package var ca: Value?
        /// PEM client certificate chain and key; both or none.
        package var cert: Value?
        package var key: Value?
        /// Host name for SNI and verification; `nil` is the host of the URL.
        package var serverName: String?
        package var minVersion = TLSVersion.v12
        package var insecureSkipVerify = false
        package init() {}
    }

    package enum CompressionMode: String, Sendable, Hashable, CaseIterable {
        case off, offer, require
    }

    /// permessage-deflate (RFC 7692).
    package struct Compression: Sendable, Hashable {
        package var mode = CompressionMode.off
        package var serverContextTakeover = true
        package var clientContextTakeover = false
        /// As a power of two.
        package var serverMaxWindowBits = 15
        package var clientMaxWindowBits = 15
        /// In bytes; shorter messages go out plain.
        package var threshold = 1024
        package init() {}
    }
}

/// The fields of a connection: the one table from which everything else is made.
///
/// The contract is the page of manifest fields; names, types and meanings change only by adding.
package enum FieldTable {
    /// Every field of a connection's `spec`, in the order of the reference.
    package static let fields: [Field] =
        whereAndWhat + afterUpgrade + alive + messages
        + correlation + transport + compression

    static let whereAndWhat: [Field] = [
        Field(
            "url", SpecPlace({ $0.url }, { $0.url = $1 }),
            .string(
                "`ws`, `wss`; host needed (name, IPv4, `[IPv6]`); port 1-65535; "
                    + "≤ 8192 bytes; no fragment, user info, blanks or control characters",
                form: .url
            ) {
                urlProblem($0)
            },
            .reopen, default: "required", isRequired: true, "Where to dial."),
        Field(
            "topic", optional: SpecPlace({ $0.topic }, { $0.topic = $1 }),
            .string("1-256 chars, no blanks or control characters", form: .topic) {
                TopicName.problem($0)
            },
            .keep, default: "none: messages are received, counted as `noTopic`, not published",
            "The topic that messages are published to."),
        Field(
            "autoReconnect", SpecPlace({ $0.autoReconnect }, { $0.autoReconnect = $1 }), .bool,
            .keep,
            "Whether a connection that failed or dropped is dialled again."),
        Field(
            "headers", SpecPlace({ $0.headers }, { $0.headers = $1 }), .headers, .reopen,
            "Headers sent with the upgrade request."),
        Field(
            "subprotocols", SpecPlace({ $0.subprotocols }, { $0.subprotocols = $1 }), .subprotocols,
            .reopen,
            "Subprotocols offered to the server."),
        Field(
            "requireSubprotocol",
            SpecPlace({ $0.requireSubprotocol }, { $0.requireSubprotocol = $1 }), .bool, .next,
            "Whether a server that chooses no subprotocol fails the dial."),
        Field(
            "overlap", SpecPlace({ $0.overlap }, { $0.overlap = $1 }), .bool, .next,
            "Whether two sockets may exist for a while, as the connection moves to another instance."
        ),
    ]

    static let afterUpgrade: [Field] = [
        Field(
            "onOpen", SpecPlace({ $0.onOpen }, { $0.onOpen = $1 }), .initialMessages, .reopen,
            "Messages sent after every upgrade.")
    ]

    static let alive: [Field] = [
        Field(
            "timeouts.dial", SpecPlace({ $0.timeouts.dial }, { $0.timeouts.dial = $1 }),
            .duration(.milliseconds(100) ... .seconds(300)),
            .next, default: "`20s`, or the longest phase written, if that is more",
            range: "100ms-5m; ≥ each phase",
            "The whole dial, from the name to the answer 101."),
        phase(
            "resolve", SpecPlace({ $0.timeouts.resolve }, { $0.timeouts.resolve = $1 }),
            "Looking up the host's addresses."),
        phase(
            "connect", SpecPlace({ $0.timeouts.connect }, { $0.timeouts.connect = $1 }),
            "Connecting TCP."),
        phase(
            "tls", SpecPlace({ $0.timeouts.tls }, { $0.timeouts.tls = $1 }), "The TLS handshake."),
        phase(
            "upgrade", SpecPlace({ $0.timeouts.upgrade }, { $0.timeouts.upgrade = $1 }),
            "The upgrade request and its answer."),
        Field(
            "timeouts.close", SpecPlace({ $0.timeouts.close }, { $0.timeouts.close = $1 }),
            .duration(.milliseconds(50) ... .seconds(60)),
            .keep, "How long to wait for the peer's close frame."),
        Field(
            "keepalive.pingInterval",
            SpecPlace({ $0.keepalive.pingInterval }, { $0.keepalive.pingInterval = $1 }),
            .duration(.milliseconds(100) ... .seconds(3600), zero: "no pings"), .keep,
            "Time between pings."),
        Field(
            "keepalive.pongTimeout",
            SpecPlace({ $0.keepalive.pongTimeout }, { $0.keepalive.pongTimeout = $1 }),
            .duration(.milliseconds(100) ... .seconds(600)), .keep,
            "How long a pong may take; it may be longer than the interval."),
        Field(
            "reconnect.base", SpecPlace({ $0.reconnect.base }, { $0.reconnect.base = $1 }),
            .duration(.milliseconds(10) ... .seconds(3600)),
            .next, default: "`1s`, or `cap` if that is less",
            "The shortest wait before the next dial."),
        Field(
            "reconnect.cap", SpecPlace({ $0.reconnect.cap }, { $0.reconnect.cap = $1 }),
            .duration(.milliseconds(10) ... .seconds(24 * 3600)), .next,
            default: "`30s`, or `base` if that is more", range: "10ms-24h; ≥ base",
            "The longest wait before the next dial."),
        Field(
            "reconnect.stableAfter",
            SpecPlace({ $0.reconnect.stableAfter }, { $0.reconnect.stableAfter = $1 }),
            .duration(.zero ... .seconds(24 * 3600)), .next,
            "Up so long before attempts count from 0 again."),
        Field(
            "reconnect.maxAttempts",
            SpecPlace({ $0.reconnect.maxAttempts }, { $0.reconnect.maxAttempts = $1 }),
            .int(0...1_000_000), .next,
            default: "`0` (for ever)", "Failed attempts in a row before giving up."),
    ]

    static let messages: [Field] = [
        Field(
            "maxMessageSize", SpecPlace({ $0.maxMessageSize }, { $0.maxMessageSize = $1 }),
            .size(1...(256 << 20)), .keep,
            "The largest message accepted; a larger one closes the connection with 1009."),
        Field(
            "buffer.messages", SpecPlace({ $0.buffer.messages }, { $0.buffer.messages = $1 }),
            .int(1...1_000_000), .keep,
            "Messages that may wait for the bus."),
        Field(
            "buffer.bytes", SpecPlace({ $0.buffer.bytes }, { $0.buffer.bytes = $1 }),
            .size(1...(1 << 30)), .keep,
            default: "the larger of `8MiB` and 2 × `maxMessageSize`",
            range: "≥ maxMessageSize, ≤ 1GiB; all buffers together ≤ the server's `--buffer-limit`",
            "Bytes of messages that may wait for the bus."),
        Field(
            "buffer.overflow", SpecPlace({ $0.buffer.overflow }, { $0.buffer.overflow = $1 }),
            .word, .keep,
            "What happens where the buffer is full; lowering a bound drops nothing."),
        Field(
            "buffer.spill.bytes",
            SpecPlace({ $0.buffer.spill.bytes }, { $0.buffer.spill.bytes = $1 }),
            .size((1 << 20)...(1 << 40)), .keep,
            "Bytes of messages that `spill` may put on the server's disk."),
        Field(
            "buffer.spill.maxAge",
            SpecPlace({ $0.buffer.spill.maxAge }, { $0.buffer.spill.maxAge = $1 }),
            .duration(.seconds(60) ... .seconds(720 * 3600)), .keep,
            "Older messages on the disk are dropped when their turn comes."),
        Field(
            "publish.data", SpecPlace({ $0.publish.data }, { $0.publish.data = $1 }), .word, .keep,
            "The form in which a message goes out; auto takes JSON objects and arrays as JSON."),
        Field(
            "publish.order", SpecPlace({ $0.publish.order }, { $0.publish.order = $1 }), .word,
            .keep, "Whether a broker gets the messages one after the other or many at once."),
        Field(
            "publish.batch", SpecPlace({ $0.publish.batch }, { $0.publish.batch = $1 }), .word,
            .keep, range: "`none`, `array` (only with `order: strict`)",
            "Whether messages that wait together go to a broker as one event with an array."),
        Field(
            "publish.batchMessages",
            SpecPlace({ $0.publish.batchMessages }, { $0.publish.batchMessages = $1 }),
            .int(1...10_000), .keep, "Messages of one such event."),
        Field(
            "publish.batchBytes",
            SpecPlace({ $0.publish.batchBytes }, { $0.publish.batchBytes = $1 }),
            .size((1 << 10)...(4 << 20)), .keep, "Bytes of one such event."),
        Field(
            "publish.batchDelay",
            SpecPlace({ $0.publish.batchDelay }, { $0.publish.batchDelay = $1 }),
            .duration(.zero ... .seconds(1), zero: "nothing is waited for"), .keep,
            "How long the first message of such an event may wait for others."),
        Field(
            "publish.attributes",
            SpecPlace({ $0.publish.attributes }, { $0.publish.attributes = $1 }), .word, .keep,
            "upstream adds the attributes of the older service as it spelled them."),
    ]

    static let correlation: [Field] = [
        Field(
            "correlation.mode", SpecPlace({ $0.correlation.mode }, { $0.correlation.mode = $1 }),
            .word, .keep,
            "How the reply to a correlated send is known."),
        Field(
            "correlation.field", SpecPlace({ $0.correlation.field }, { $0.correlation.field = $1 }),
            .string("with `auto`, `jsonField`", typeName: "dotted path", form: .jsonPath) {
                pathProblem($0)
            },
            .keep, "Where a JSON message carries its id."),
        Field(
            "correlation.match",
            optional: SpecPlace({ $0.correlation.match }, { $0.correlation.match = $1 }), .match,
            .keep,
            default: "any message", range: "with `next` only; " + ValueCodec<Match>.match.rangeText,
            "Which message is the reply; one send is in flight, others wait in order."),
        Field(
            "correlation.timeout",
            SpecPlace({ $0.correlation.timeout }, { $0.correlation.timeout = $1 }),
            .duration(.milliseconds(1) ... .seconds(600)), .keep,
            "How long a reply may take where the call does not say."),
        Field(
            "correlation.maxPending",
            SpecPlace({ $0.correlation.maxPending }, { $0.correlation.maxPending = $1 }),
            .int(1...100_000), .keep,
            "Sends that may wait for their reply; more are refused."),
    ]

    static let transport: [Field] = [
        Field(
            "tls.ca", optional: SpecPlace({ $0.tls.ca }, { $0.tls.ca = $1 }),
            .pem("", begin: "-----BEGIN CERTIFICATE-----"), .reopen,
            default: "system roots", range: "with a `wss` URL, as all of `tls`; replaces them",
            "The roots that the server's certificate is checked against."),
        Field(
            "tls.cert", optional: SpecPlace({ $0.tls.cert }, { $0.tls.cert = $1 }),
            .pem("", begin: "-----BEGIN "), .reopen,
            default: "none", range: "both or none of `cert` and `key`",
            "The client's certificate chain."),
        Field(
            "tls.key", optional: SpecPlace({ $0.tls.key }, { $0.tls.key = $1 }),
            .pem("", begin: "-----BEGIN ", secretOnly: true),
            .reopen, default: "none", range: "both or none of `cert` and `key`",
            "The client's private key."),
        Field(
            "tls.serverName",
            optional: SpecPlace({ $0.tls.serverName }, { $0.tls.serverName = $1 }),
            .string("host name", form: .serverName) { serverNameProblem($0) }, .reopen,
            default: "host of the URL",
            "The name used for SNI and for verification."),
        Field(
            "tls.minVersion", SpecPlace({ $0.tls.minVersion }, { $0.tls.minVersion = $1 }), .word,
            .reopen, default: "`'1.2'`",
            range: "`'1.2'`, `'1.3'`", "The oldest version of TLS accepted."),
        Field(
            "tls.insecureSkipVerify",
            SpecPlace({ $0.tls.insecureSkipVerify }, { $0.tls.insecureSkipVerify = $1 }), .bool,
            .reopen,
            range: "`true` is a warning",
            "Whether the server's certificate goes unchecked."),
    ]

    private static func phase(
        _ name: String, _ place: SpecPlace<Duration>,
        _ summary: String
    ) -> Field {
        let standard = DurationText.format(place.get(ConnectionSpec(url: "")))
        return Field(
            "timeouts.\(name)", place, .duration(.milliseconds(50) ... .seconds(300)), .next,
            default: "`\(standard)`, or `timeouts.dial` if that is less", summary)
    }

    private static func urlProblem(_ url: String) -> String? {
        do {
            _ = try Endpoint.parse(url)
            return nil
        } catch {
            return error.message
        }
    }

    private static func pathProblem(_ path: String) -> String? {
        do {
            _ = try JSONPath(path)
            return nil
        } catch {
            return error.message
        }
    }

    private static func serverNameProblem(_ name: String) -> String? {
        guard !name.isEmpty else { return "the host name is empty" }
        guard !HostName.isAddress(name) else { return "a host name is wanted, not an address" }
        return HostName.problem(name)
    }
}

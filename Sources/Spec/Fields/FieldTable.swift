/// The fields of a connection: the one table from which everything else is made.
///
/// The contract is the page of manifest fields; names, types and meanings change only by adding.
package enum FieldTable {
    /// Every field of a connection's `spec`, in the order of the reference.
    package static let fields: [Field] =
        whereAndWhat + afterUpgrade + alive + messages
        + correlation + transport

    static let whereAndWhat: [Field] = [
        Field(
            "url", \.url,
            .string(
                "`ws`, `wss`; host needed (name, IPv4, `[IPv6]`); port 1-65535; "
                    + "≤ 8192 bytes; no fragment, user info, blanks or control characters"
            ) {
                urlProblem($0)
            },
            .reopen, default: "required", isRequired: true, "Where to dial."),
        Field(
            "topic", optional: \.topic,
            .string("1-256 chars, no blanks or control characters") { TopicName.problem($0) },
            .keep, default: "none: messages are received, counted as `noTopic`, not published",
            "The topic that messages are published to."),
        Field(
            "autoReconnect", \.autoReconnect, .bool, .keep,
            "Whether a connection that failed or dropped is dialled again."),
        Field(
            "headers", \.headers, .headers, .reopen,
            "Headers sent with the upgrade request."),
        Field(
            "subprotocols", \.subprotocols, .subprotocols, .reopen,
            "Subprotocols offered to the server."),
        Field(
            "requireSubprotocol", \.requireSubprotocol, .bool, .next,
            "Whether a server that chooses no subprotocol fails the dial."),
    ]

    static let afterUpgrade: [Field] = [
        Field(
            "onOpen", \.onOpen, .initialMessages, .reopen,
            "Messages sent after every upgrade.")
    ]

    static let alive: [Field] = [
        Field(
            "timeouts.dial", \.timeouts.dial, .duration(.milliseconds(100) ... .seconds(300)),
            .next, default: "`20s`, or the longest phase written, if that is more",
            range: "100ms-5m; ≥ each phase",
            "The whole dial, from the name to the answer 101."),
        phase("resolve", \.timeouts.resolve, "Looking up the host's addresses."),
        phase("connect", \.timeouts.connect, "Connecting TCP."),
        phase("tls", \.timeouts.tls, "The TLS handshake."),
        phase("upgrade", \.timeouts.upgrade, "The upgrade request and its answer."),
        Field(
            "timeouts.close", \.timeouts.close, .duration(.milliseconds(50) ... .seconds(60)),
            .keep, "How long to wait for the peer's close frame."),
        Field(
            "keepalive.pingInterval", \.keepalive.pingInterval,
            .duration(.milliseconds(100) ... .seconds(3600), zero: "no pings"), .keep,
            "Time between pings."),
        Field(
            "keepalive.pongTimeout", \.keepalive.pongTimeout,
            .duration(.milliseconds(100) ... .seconds(600)), .keep,
            "How long a pong may take; it may be longer than the interval."),
        Field(
            "reconnect.base", \.reconnect.base, .duration(.milliseconds(10) ... .seconds(3600)),
            .next, default: "`1s`, or `cap` if that is less",
            "The shortest wait before the next dial."),
        Field(
            "reconnect.cap", \.reconnect.cap,
            .duration(.milliseconds(10) ... .seconds(24 * 3600)), .next,
            default: "`30s`, or `base` if that is more", range: "10ms-24h; ≥ base",
            "The longest wait before the next dial."),
        Field(
            "reconnect.stableAfter", \.reconnect.stableAfter,
            .duration(.zero ... .seconds(24 * 3600)), .next,
            "Up so long before attempts count from 0 again."),
        Field(
            "reconnect.maxAttempts", \.reconnect.maxAttempts, .int(0...1_000_000), .next,
            default: "`0` (for ever)", "Failed attempts in a row before giving up."),
    ]

    static let messages: [Field] = [
        Field(
            "maxMessageSize", \.maxMessageSize, .size(1...(256 << 20)), .keep,
            "The largest message accepted; a larger one closes the connection with 1009."),
        Field(
            "buffer.messages", \.buffer.messages, .int(1...1_000_000), .keep,
            "Messages that may wait for the bus."),
        Field(
            "buffer.bytes", \.buffer.bytes, .size(1...(1 << 30)), .keep,
            default: "the larger of `8MiB` and 2 × `maxMessageSize`",
            range: "≥ maxMessageSize, ≤ 1GiB; all buffers together ≤ the server's `--buffer-limit`",
            "Bytes of messages that may wait for the bus."),
        Field(
            "buffer.overflow", \.buffer.overflow, .word, .keep,
            "What happens where the buffer is full; lowering a bound drops nothing."),
        Field(
            "publish.data", \.publish.data, .word, .keep,
            "The form in which a message goes out; auto takes JSON objects and arrays as JSON."),
    ]

    static let correlation: [Field] = [
        Field(
            "correlation.mode", \.correlation.mode, .word, .keep,
            "How the reply to a correlated send is known."),
        Field(
            "correlation.field", \.correlation.field,
            .string("with `auto`, `jsonField`", typeName: "dotted path") { pathProblem($0) },
            .keep, "Where a JSON message carries its id."),
        Field(
            "correlation.match", optional: \.correlation.match, .match, .keep,
            default: "any message", range: "with `next` only; " + ValueCodec<Match>.match.rangeText,
            "Which message is the reply; one send is in flight, others wait in order."),
        Field(
            "correlation.timeout", \.correlation.timeout,
            .duration(.milliseconds(1) ... .seconds(600)), .keep,
            "How long a reply may take where the call does not say."),
        Field(
            "correlation.maxPending", \.correlation.maxPending, .int(1...100_000), .keep,
            "Sends that may wait for their reply; more are refused."),
    ]

    static let transport: [Field] = [
        Field(
            "tls.ca", optional: \.tls.ca, .pem("", begin: "-----BEGIN CERTIFICATE-----"), .reopen,
            default: "system roots", range: "with a `wss` URL, as all of `tls`; replaces them",
            "The roots that the server's certificate is checked against."),
        Field(
            "tls.cert", optional: \.tls.cert, .pem("", begin: "-----BEGIN "), .reopen,
            default: "none", range: "both or none of `cert` and `key`",
            "The client's certificate chain."),
        Field(
            "tls.key", optional: \.tls.key, .pem("", begin: "-----BEGIN ", secretOnly: true),
            .reopen, default: "none", range: "both or none of `cert` and `key`",
            "The client's private key."),
        Field(
            "tls.serverName", optional: \.tls.serverName,
            .string("host name") { serverNameProblem($0) }, .reopen, default: "host of the URL",
            "The name used for SNI and for verification."),
        Field(
            "tls.minVersion", \.tls.minVersion, .word, .reopen, default: "`'1.2'`",
            range: "`'1.2'`, `'1.3'`", "The oldest version of TLS accepted."),
        Field(
            "tls.insecureSkipVerify", \.tls.insecureSkipVerify, .bool, .reopen,
            range: "`true` is a warning",
            "Whether the server's certificate goes unchecked."),
    ]

    private static func phase(
        _ name: String, _ keyPath: SpecKeyPath<Duration>,
        _ summary: String
    ) -> Field {
        let standard = DurationText.format(ConnectionSpec(url: "")[keyPath: keyPath])
        return Field(
            "timeouts.\(name)", keyPath, .duration(.milliseconds(50) ... .seconds(300)), .next,
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

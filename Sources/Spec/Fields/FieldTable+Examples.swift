extension FieldTable {
    /// Groups of fields: path → one sentence for people.
    static let groupSummaries = [
        "timeouts": "How long each part of a dial, and the closing handshake, may take.",
        "keepalive": "Pings that tell a dead connection from a quiet one.",
        "reconnect": "How a connection that failed or dropped is dialled again.",
        "buffer": "Messages that were received and wait for the bus.",
        "buffer.spill": "Messages that have no room in memory and wait on the server's disk.",
        "publish": "How a message goes out to the bus.",
        "correlation": "How the reply to a correlated send is found.",
        "tls": "How the server is verified, and the client's certificate.",
        "compression": "Messages compressed on the wire, as RFC 7692 has it.",
    ]

    /// One value for each field, in JSON; each stands in a manifest that compiles.
    static let examples: [String: String] = [
        "url": #""wss://stream.example.com/trades""#,
        "topic": #""trades.btc""#,
        "autoReconnect": "true",
        "headers": #"{"Authorization": {"valueFrom": {"env": "WSM_SECRET_TOKEN"}}}"#,
        "subprotocols": #"["graphql-transport-ws"]"#,
        "requireSubprotocol": "true",
        "overlap": "false",
        "onOpen": #"[{"text": "{\"op\":\"subscribe\",\"channel\":\"trades\"}"}]"#,
        "timeouts.dial": #""15s""#,
        "timeouts.resolve": #""2s""#,
        "timeouts.connect": #""3s""#,
        "timeouts.tls": #""5s""#,
        "timeouts.upgrade": #""5s""#,
        "timeouts.close": #""2s""#,
        "keepalive.pingInterval": #""30s""#,
        "keepalive.pongTimeout": #""5s""#,
        "reconnect.base": #""500ms""#,
        "reconnect.cap": #""1m""#,
        "reconnect.stableAfter": #""1m""#,
        "reconnect.maxAttempts": "10",
        "maxMessageSize": #""4MiB""#,
        "buffer.messages": "50000",
        "buffer.bytes": #""64MiB""#,
        "buffer.overflow": #""dropOldest""#,
        "buffer.spill.bytes": #""1GiB""#,
        "buffer.spill.maxAge": #""1h""#,
        "publish.data": #""json""#,
        "publish.order": #""none""#,
        "publish.batch": #""array""#,
        "publish.batchMessages": "500",
        "publish.batchBytes": #""512KiB""#,
        "publish.batchDelay": #""20ms""#,
        "publish.attributes": #""upstream""#,
        "correlation.mode": #""jsonField""#,
        "correlation.field": #""params.requestId""#,
        "correlation.match": #"{"path": "$.type", "equals": "reply"}"#,
        "correlation.timeout": #""5s""#,
        "correlation.maxPending": "256",
        "tls.ca": #"{"valueFrom": {"file": "ca.pem"}}"#,
        "tls.cert": #"{"valueFrom": {"file": "client.pem"}}"#,
        "tls.key": #"{"valueFrom": {"file": "client.key"}}"#,
        "tls.serverName": #""stream.example.com""#,
        "tls.minVersion": #""1.3""#,
        "tls.insecureSkipVerify": "false",
        "compression.mode": #""offer""#,
        "compression.serverContextTakeover": "false",
        "compression.clientContextTakeover": "true",
        "compression.serverMaxWindowBits": "12",
        "compression.clientMaxWindowBits": "11",
        "compression.threshold": #""256B""#,
    ]
}

extension Field {
    /// A value the field may have.
    package var example: JSONValue? {
        FieldTable.examples[path].flatMap { try? JSONValue.parse(Array($0.utf8)) }
    }
}

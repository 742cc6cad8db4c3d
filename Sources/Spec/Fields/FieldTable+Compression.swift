extension FieldTable {
    /// Messages compressed on the wire (RFC 7692).
    static let compression: [Field] = [
        Field(
            "compression.mode",
            SpecPlace({ $0.compression.mode }, { $0.compression.mode = $1 }), .word, .reopen,
            "Whether compressed messages are offered; require fails a dial where they are declined."
        ),
        Field(
            "compression.serverContextTakeover",
            SpecPlace(
                { $0.compression.serverContextTakeover },
                { $0.compression.serverContextTakeover = $1 }), .bool, .reopen,
            "Whether the server may refer to earlier messages, which keeps a window in memory here."
        ),
        Field(
            "compression.clientContextTakeover",
            SpecPlace(
                { $0.compression.clientContextTakeover },
                { $0.compression.clientContextTakeover = $1 }), .bool, .reopen,
            "Whether what is sent refers to earlier messages."),
        Field(
            "compression.serverMaxWindowBits",
            SpecPlace(
                { $0.compression.serverMaxWindowBits },
                { $0.compression.serverMaxWindowBits = $1 }), .int(9...15), .reopen,
            "The largest window the server may use, as a power of two of bytes."),
        Field(
            "compression.clientMaxWindowBits",
            SpecPlace(
                { $0.compression.clientMaxWindowBits },
                { $0.compression.clientMaxWindowBits = $1 }), .int(9...15), .reopen,
            "The largest window for what is sent, as a power of two of bytes."),
        Field(
            "compression.threshold",
            SpecPlace({ $0.compression.threshold }, { $0.compression.threshold = $1 }),
            .size(0...(1 << 20)), .keep,
            "Shorter messages go out plain; what comes in never inflates past `maxMessageSize`."),
    ]
}

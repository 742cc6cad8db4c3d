/// What a dial offers the server about compressed messages (RFC 7692, permessage-deflate).
package struct CompressionOptions: Sendable, Hashable {
    /// The sizes of a window that a peer may name, as powers of two (RFC 7692, 7.1.2).
    static let windowBits = 8...15

    /// Whether a server that does not agree fails the dial.
    package var isRequired: Bool
    /// Whether the server may refer to earlier messages: smaller on the wire, and a window kept
    /// here for the life of the connection.
    package var serverContextTakeover: Bool
    /// Whether we refer to earlier messages.
    package var clientContextTakeover: Bool
    /// The largest window the server may use, 9-15.
    package var serverMaxWindowBits: Int
    /// The largest window we use, 9-15.
    package var clientMaxWindowBits: Int
    /// Messages of fewer bytes go out as they are.
    package var threshold: Int

    package init(
        isRequired: Bool = false,
        serverContextTakeover: Bool = true,
        clientContextTakeover: Bool = false,
        serverMaxWindowBits: Int = 15,
        clientMaxWindowBits: Int = 15,
        threshold: Int = 1024
    ) {
        self.isRequired = isRequired
        self.serverContextTakeover = serverContextTakeover
        self.clientContextTakeover = clientContextTakeover
        self.serverMaxWindowBits = serverMaxWindowBits
        self.clientMaxWindowBits = clientMaxWindowBits
        self.threshold = threshold
    }
}

/// What client and server agreed on.
package struct CompressionAgreement: Sendable, Hashable, CustomStringConvertible {
    /// Whether the server may refer to earlier messages.
    package var serverKeepsContext: Bool
    /// Whether we do.
    package var clientKeepsContext: Bool
    /// The server's window, 8-15.
    package var serverWindowBits: Int
    /// Ours, 8-15.
    package var clientWindowBits: Int

    /// In the words of the handshake, every limit that holds.
    package var description: String {
        var parts = [DeflateNegotiation.name]
        if !self.serverKeepsContext { parts.append(DeflateNegotiation.serverNoContext) }
        if !self.clientKeepsContext { parts.append(DeflateNegotiation.clientNoContext) }
        for (name, bits) in [
            (DeflateNegotiation.serverWindow, self.serverWindowBits),
            (DeflateNegotiation.clientWindow, self.clientWindowBits),
        ] where bits < CompressionOptions.windowBits.upperBound {
            parts.append("\(name)=\(bits)")
        }
        return parts.joined(separator: "; ")
    }
}

/// A body that is written while its call runs.
struct StreamBody: Sendable {
    let handoff: Handoff
    /// Ends the call; may be called more than once.
    let stop: @Sendable () -> Void
    /// What was waited for before the head was written.
    let first: Handoff.Event
    let writer: any StreamWriting
}

/// How the messages of a stream look to their reader. One for each stream: it may count.
protocol StreamWriting: Sendable {
    /// - Throws: If the message is not what the contract says.
    func bytes(of message: [UInt8]) throws -> [UInt8]
    /// What stands at the end; `nil` is an end in good order.
    func end(_ failure: RPCFailure?) -> [UInt8]
    /// What keeps a silent stream alive; empty is nothing.
    var keepalive: [UInt8] { get }
}

/// One message a line (`application/x-ndjson`). A last line `{"error": {…}}` tells of a failure.
struct LineWriter: StreamWriting {
    static let type = "application/x-ndjson"
    let decoder: MessageDecoder
    let message: String

    func bytes(of bytes: [UInt8]) throws -> [UInt8] {
        try decoder.json(bytes, of: message) + [0x0A]
    }

    func end(_ failure: RPCFailure?) -> [UInt8] {
        guard let failure else { return [] }
        return (["error": ErrorBody.value(failure)] as JSONValue).bytes + [0x0A]
    }

    var keepalive: [UInt8] { [] }
}

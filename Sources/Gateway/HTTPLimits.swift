import NIOCore

/// Every bound of the HTTP side.
package enum HTTPLimits {
    /// Of one request body, in bytes: gRPC's own customary limit, which the other port has too.
    package static let maxBodyBytes = 4 << 20
    /// Of a gRPC-Web body in base64: four letters for three bytes, and the frame's header.
    static let maxTextBodyBytes = maxBodyBytes / 3 * 4 + 64
    /// Of a body that is refused, in bytes: so much is still read, so that the refusal arrives.
    static let maxDrainedBytes = 16 << 20
    /// Of one header field, in bytes; a token or a certificate's name is far below.
    static let maxHeaderFieldBytes = 16 << 10
    /// Of all header fields together, in bytes.
    static let maxHeaderListBytes = 64 << 10
    static let maxHeaderFields = 100
    /// Of the request line's target, in bytes: a query with a hundred filters fits.
    static let maxTargetBytes = 8 << 10
    /// A connection without a request, or with one that does not go on, is closed after this.
    static let idleTimeout: TimeAmount = .seconds(60)
    /// Each may hold a request body; beyond it the kernel's queue makes callers wait.
    package static let maxConnections = 1_024
    /// Connections that wait to be accepted.
    static let backlog = 256
    /// Messages of a stream between service and socket; a reader that does not read stops the
    /// service after so many, instead of filling the memory.
    static let messagesInFlight = 2
    /// How long a stream waits for its first message or refusal before it says 200: a refusal
    /// comes within this, so that it has a status of its own.
    static let firstAnswer: Duration = .milliseconds(250)
    /// After a caller closed its side, for an answer that is near: such callers are rare, and those
    /// that have really left must not hold a call for long.
    static let halfClosed: TimeAmount = .seconds(1)
    /// Between two comment lines of a silent event stream; proxies cut at 30 s and more.
    static let keepalive: Duration = .seconds(15)
    /// When TCP asks whether a silent caller is still there, how often, and how many times: one
    /// whose machine is gone gives its connection back within two minutes.
    static let probeAfterSeconds = 60
    static let probeEverySeconds = 15
    static let probes = 4
    /// Of a manifest document chunk in one message of Apply, in bytes.
    static let maxChunkBytes = 1 << 20
}

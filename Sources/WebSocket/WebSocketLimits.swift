/// Every bound of the client that is not set per connection.
package enum WebSocketLimits {
    /// The longest response head, in bytes. Twice what common servers allow for a request.
    package static let responseHead = 16 * 1024

    /// The most bytes that wait to be written on one connection. A peer that reads slower than we
    /// send is told to the sender (`writeBufferFull`) instead of growing the process; one frame of
    /// any size is taken when nothing waits.
    package static let pendingWriteBytes = 16 * 1024 * 1024

    /// The longest payload of a control frame (RFC 6455, 5.5).
    package static let controlPayload = 125

    /// The longest close reason: a control payload less the code.
    package static let closeReason = WebSocketLimits.controlPayload - 2

    /// How long the socket outlives a finished close handshake, for the other side's end of TCP to
    /// arrive: cutting at once could reset the connection under a close frame still in flight.
    package static let closeGrace: Duration = .seconds(1)

    /// The head start of one address over the next (RFC 8305, section 5).
    package static let addressStagger: Duration = .milliseconds(250)

    /// What a frame's header alone may reserve for its payload; beyond, memory follows the bytes.
    static let payloadReserve = 1024 * 1024

    /// How long a connection keeps what it compresses and inflates with when it does neither. Some
    /// 40 KiB to receive and 262 KiB to send are too much for a feed that speaks once a minute, and
    /// making them anew costs microseconds.
    static let compressionIdle: Duration = .seconds(10)

    /// The most bytes a compressed message may take on the wire: what its size may be, and a quarter
    /// for what the poorest encoder adds to bytes that cannot be made smaller. Without a bound, empty
    /// blocks could go on for ever.
    static func compressedSize(limit: Int) -> Int { limit + limit / 4 + 1024 }

    /// Segments that take further messages inflated in the same read, in bytes: beyond, copying a
    /// message costs more than a segment of its own.
    static let sharedSegment = 64 * 1024

    /// What one read takes from a socket at most, in bytes, before the others have their turn. A
    /// larger one saves system calls and acknowledgements of a feed at full speed; beyond this size
    /// it would not stay in the processor's cache.
    static let readBuffer = 256 * 1024

    /// Of the first read of a connection, in bytes. The channel keeps it for good, so it is as small
    /// as makes sense: what of the answer to the upgrade has no room comes with the next read.
    static let firstReadBuffer = 16

    /// TLS contexts kept; the cache starts anew beyond, which costs only making them again.
    static let cachedTLSContexts = 1024

    /// How long the addresses of a name are used again. Enough for a burst of dials to ask once, and
    /// well below what names that move are published with: a feed that fails over is found at the
    /// next attempt or the one after.
    static let addressLifetime: Duration = .seconds(5)

    /// Names whose addresses are kept; the cache starts anew beyond, which costs a look-up each.
    static let cachedNames = 4096

    /// Threads that may wait for the resolver at one time: as many names may hang before another
    /// has to wait for its deadline.
    static let resolverThreads = 8
}

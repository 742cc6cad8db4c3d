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

    /// The buffer that the sockets of a loop are read into, in bytes. It stays in the processor's
    /// second-level cache.
    static let readBuffer = 256 * 1024

    /// How long one socket is read on in its turn where reads are deep, before the others have theirs:
    /// some 7 MB of plain messages. A socket that is emptied is filled by its peer's writes, on the
    /// peer's processor; one that is always nearly full by each of our acknowledgements, on ours.
    static let deepTurn: Duration = .milliseconds(2)

    /// What a read takes at most that is not deep, in bytes: with thousands of connections whose
    /// messages wait for a broker, what was read last waits too. And where a topic is read here, what
    /// the sockets of one turn bring should not push what its reader has not got out of the ring.
    package static let shallowRead = 64 * 1024

    /// Messages in one segment at most. Segments find room in the buffer of a connection (10,000 by
    /// default) as a whole or one message at a time, which costs fifty times as much.
    static let segmentMessages = 4096

    /// Bytes of a segment at most, but for one message that is larger: what is kept of a segment
    /// keeps all of its memory.
    static let segmentBytes = 256 * 1024

    /// Rows of messages of so many bytes are copied past the processor's caches where reads are deep:
    /// shorter ones are over before they push anything out.
    static let rowPastCaches = 64 * 1024

    /// Messages in such a row, on average, in bytes: of shorter ones the lines of a cache that they
    /// share cost what the others save.
    static let messagePastCaches = 1024

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

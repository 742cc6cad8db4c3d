import GRPCCore
import NIOCore

/// One connection of HTTP/2 as the client of unary calls: a machine without socket and clock.
///
/// Its owner gives it what was read (``receive(_:now:)``), calls (``start(_:_:_:deadline:now:)``)
/// and the time (``tick(now:)``), and takes what is to be written (``output``) and what became of
/// calls (``takeAnswers()``) after each of these. Faults of the peer end it; calls that were under
/// way fail as `unavailable`, since nobody knows whether they took effect.
///
/// Left out, as nothing here needs it: streams of the peer (refused in the settings), priorities,
/// compression, more than one message in either direction.
struct CallConnection<Token> {
    typealias Answer = Result<ByteBuffer, RPCError>

    enum Phase: Equatable {
        /// The settings of the peer have not come.
        case opening
        case open
        /// Calls end, none begins.
        case draining
        case closed(RPCError)
    }

    private(set) var phase = Phase.opening
    /// When ``tick(now:)`` is due, if not earlier by what happens until then.
    private(set) var wakeAt: NIODeadline?
    /// To be written, in order.
    var output = ByteBuffer()

    var streams: [UInt32: CallStream<Token>] = [:]
    /// Streams with something unsent, in their order.
    var blocked: [UInt32] = []
    var reader = FrameReader()
    var requests: RequestHead
    var heads = AnswerHeads(maxBytes: Self.headerListBytes)
    /// A header block of which frames are still to come.
    var openBlock: HeaderBlock?
    /// For the block of the call that begins.
    var block = ByteBuffer()
    var nextStream: UInt32 = 1
    var sendWindow = HTTP2.firstWindow
    var unacknowledged = 0
    var peer = Peer()
    private var answers: [(token: Token, answer: Answer)] = []

    private var openedAt: NIODeadline
    var lastHeard: NIODeadline
    /// Whether a ping waits for its answer, and when the last one went out.
    private var isAsked = false
    private var askedAt = NIODeadline.distantPast
    private var idleSince: NIODeadline
    /// Since the owner last took ``output``.
    var owedReplies = 0

    /// Of header fields of one answer, in bytes: a status with details has a few thousand.
    static var headerListBytes: Int { 16_384 }
    /// Of a header block over several frames, in bytes.
    static var blockBytes: Int { 65_536 }
    /// Replies to pings and settings in one turn: a peer that wants more does no work but that.
    static var repliesAtOnce: Int { 1_000 }

    /// What the peer has said of itself; the values are those before it does.
    struct Peer {
        var streams = Int.max
        var window = HTTP2.firstWindow
        var frame = HTTP2.frameBytes
    }

    struct HeaderBlock {
        var stream: UInt32
        var endsStream: Bool
        var bytes: ByteBuffer
    }

    /// Begins the talk.
    init(_ fixed: RequestHead.Fixed, now: NIODeadline) {
        requests = RequestHead(fixed)
        (openedAt, lastHeard, idleSince) = (now, now, now)
        output.writeStaticString(HTTP2.preface)
        output.writeSettings([(.push, 0), (.headerList, UInt32(Self.headerListBytes))])
        wakeAt = now + CallTimes.connect
    }

    /// Whether a call may begin now.
    var hasRoom: Bool {
        phase == .open && streams.count < peer.streams && nextStream <= HTTP2.lastStream
    }

    var isClosed: Bool {
        if case .closed = phase { true } else { false }
    }

    /// Whether nothing is left to wait for.
    var isOver: Bool { isClosed || (phase == .draining && streams.isEmpty) }

    /// What became of calls since this was asked last.
    mutating func takeAnswers() -> [(token: Token, answer: Answer)] {
        guard !answers.isEmpty else { return [] }
        defer { answers.removeAll(keepingCapacity: true) }
        return answers
    }

    // MARK: Ends

    func isKnown(_ stream: UInt32) -> Bool { streams[stream] != nil }

    mutating func finish(_ stream: UInt32, _ answer: Answer, now: NIODeadline) {
        guard let call = streams.removeValue(forKey: stream) else { return }
        if call.unsent.readableBytes > 0 { blocked.removeAll { $0 == stream } }
        if streams.isEmpty { idleSince = now }
        answers.append((call.token, answer))
    }

    /// Ends a call here and tells the peer, which may have begun to work on it.
    mutating func abandon(_ stream: UInt32, _ error: RPCError, now: NIODeadline) {
        guard isKnown(stream) else { return }
        output.writeReset(stream, .cancel)
        finish(stream, .failure(error), now: now)
    }

    /// Nobody waits for the call any more.
    mutating func cancel(_ stream: UInt32, now: NIODeadline) {
        abandon(stream, RPCError(code: .cancelled, message: "the call was cancelled"), now: now)
    }

    /// Lets calls under way end; none begins.
    mutating func drain() {
        if !isClosed { phase = .draining }
    }

    /// The settings of the peer are here.
    mutating func opened() {
        if phase == .opening { phase = .open }
    }

    /// The peer went against the protocol.
    mutating func end(_ fault: HTTP2.Fault, now: NIODeadline) {
        output.writeGoAway(fault.code)
        end(RPCError(code: .unavailable, message: "it \(fault.sentence)"), now: now)
    }

    /// Nothing comes or goes any more.
    mutating func end(_ error: RPCError, now: NIODeadline) {
        guard !isClosed else { return }
        phase = .closed(error)
        wakeAt = nil
        for stream in streams.keys.sorted() { finish(stream, .failure(error), now: now) }
    }

    // MARK: Time

    /// Ends what is due.
    mutating func tick(now: NIODeadline) {
        guard !isClosed else { return }
        let late = streams.filter { $0.value.deadline <= now }
        for stream in late.keys.sorted() {
            abandon(
                stream, RPCError(code: .deadlineExceeded, message: "it did not answer in time"),
                now: now)
        }
        if late.values.contains(where: { $0.begin >= lastHeard }) { askPeer(now: now) }
        leaveIfDue(now: now)
        guard !isClosed else { return }
        wakeAt = streams.values.lazy.map(\.deadline).min()
        if phase == .opening { wake(at: openedAt + CallTimes.connect) }
        if streams.isEmpty { wake(at: idleSince + CallTimes.idle) }
        if isAsked { wake(at: askedAt + CallTimes.pingAnswer) }
    }

    /// A call was not answered, and nothing else came meanwhile: is anybody there?
    private mutating func askPeer(now: NIODeadline) {
        guard !isAsked, now >= askedAt + CallTimes.betweenPings else { return }
        output.writePing(0)
        isAsked = true
        askedAt = now
    }

    private mutating func leaveIfDue(now: NIODeadline) {
        if phase == .opening, now >= openedAt + CallTimes.connect {
            end(HTTP2.Fault(.settingsTimeout, "did not begin to speak HTTP/2 in time"), now: now)
        } else if isAsked, now >= askedAt + CallTimes.pingAnswer {
            end(HTTP2.Fault(.none, "does not even answer a ping"), now: now)
        } else if streams.isEmpty, now >= idleSince + CallTimes.idle {
            drain()
        }
    }

    mutating func wake(at deadline: NIODeadline) {
        wakeAt = min(wakeAt ?? deadline, deadline)
    }

    /// Whatever comes answers a ping as well.
    mutating func heard(now: NIODeadline) {
        lastHeard = now
        isAsked = false
    }
}

/// Times of ``DaprLimits`` as an event loop counts them.
enum CallTimes {
    static let connect = TimeAmount(DaprLimits.connectTimeout)
    static let idle = TimeAmount(DaprLimits.idleTime)
    static let betweenPings = TimeAmount(DaprLimits.pingAfter)
    static let pingAnswer = TimeAmount(DaprLimits.pingTimeout)
}

import GRPCCore
import NIOCore
import NIOHPACK
import Testing

@testable import Dapr

/// The other end of a connection in a test: frames by hand, header blocks by the library.
struct PeerEnd {
    /// Frames that the client has to read.
    var bytes = ByteBuffer()
    private var encoder = HPACKEncoder(allocator: ByteBufferAllocator())

    static let ok = [("grpc-status", "0"), ("grpc-message", "")]
    static let head = [(":status", "200"), ("content-type", "application/grpc")]

    mutating func take() -> ByteBuffer {
        defer { bytes = ByteBuffer() }
        return bytes
    }

    mutating func frame(
        _ kind: UInt8, _ flags: HTTP2.Flags = [], stream: UInt32, _ payload: [UInt8] = []
    ) {
        bytes.writeInteger(UInt32(payload.count) << 8 | UInt32(kind))
        bytes.writeMultipleIntegers(flags.rawValue, stream)
        bytes.writeBytes(payload)
    }

    mutating func settings(_ settings: [(UInt16, UInt32)] = []) {
        var payload = ByteBuffer()
        for (number, value) in settings { payload.writeMultipleIntegers(number, value) }
        frame(4, stream: 0, Array(payload.readableBytesView))
    }

    mutating func block(_ fields: [(String, String)]) throws -> [UInt8] {
        var block = ByteBuffer()
        try encoder.encode(headers: HPACKHeaders(fields), to: &block)
        return Array(block.readableBytesView)
    }

    mutating func headers(
        _ stream: UInt32, _ fields: [(String, String)], isLast: Bool = false
    ) throws {
        let flags: HTTP2.Flags = isLast ? [.endHeaders, .endStream] : .endHeaders
        frame(1, flags, stream: stream, try block(fields))
    }

    mutating func data(_ stream: UInt32, _ payload: [UInt8], isLast: Bool = false) {
        frame(0, isLast ? .endStream : [], stream: stream, payload)
    }

    /// A whole answer with a message.
    mutating func answer(_ stream: UInt32, _ message: [UInt8] = []) throws {
        try headers(stream, Self.head)
        let length = withUnsafeBytes(of: UInt32(message.count).bigEndian) { Array($0) }
        data(stream, [0] + length + message)
        try headers(stream, Self.ok, isLast: true)
    }

    mutating func refusal(_ stream: UInt32, _ fields: [(String, String)]) throws {
        try headers(stream, Self.head + fields, isLast: true)
    }

    mutating func reset(_ stream: UInt32, _ code: HTTP2.Code) {
        number(3, stream, code.rawValue)
    }

    mutating func windowUpdate(_ stream: UInt32, _ increment: UInt32) {
        number(8, stream, increment)
    }

    mutating func goAway(last: UInt32, _ code: UInt32 = 0) {
        var payload = ByteBuffer()
        payload.writeMultipleIntegers(last, code)
        frame(7, stream: 0, Array(payload.readableBytesView))
    }

    private mutating func number(_ kind: UInt8, _ stream: UInt32, _ value: UInt32) {
        frame(kind, stream: stream, withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }
}

/// What a client has written, frame by frame.
struct Written {
    private(set) var frames: [FrameReader.Frame] = []
    private var reader = FrameReader(limit: HTTP2.largestFrameBytes)
    private var hasPreface = false
    var decoder = HPACKDecoder(allocator: ByteBufferAllocator())

    /// Takes what is new.
    mutating func take(_ output: inout ByteBuffer) throws {
        var bytes = output
        output.clear()
        if !hasPreface, bytes.readableBytes > 0 {
            let preface = bytes.readString(length: 24)
            #expect(preface == "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            hasPreface = true
        }
        reader.append(bytes)
        frames = []
        while let frame = try reader.next() { frames.append(frame) }
    }

    mutating func fields(_ frame: FrameReader.Frame) throws -> [String] {
        var block = frame.payload
        return try decoder.decodeHeaders(from: &block).map { "\($0.name): \($0.value)" }
    }

    /// Kind, stream and length of each frame.
    var outline: [String] {
        frames.map { frame in
            let kind = frame.kind.map { "\($0)" } ?? "unknown"
            let end = frame.kind == .data && frame.flags.contains(.endStream) ? " end" : ""
            return "\(kind) \(frame.stream) \(frame.payload.readableBytes)\(end)"
        }
    }

    func number(_ frame: FrameReader.Frame, at offset: Int = 0) -> UInt32? {
        frame.payload.getInteger(at: frame.payload.readerIndex + offset)
    }
}

/// A machine with its peer, and the time.
struct Talk {
    var connection: CallConnection<Int>
    var peer = PeerEnd()
    var written = Written()
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    var answers: [Int: Result<[UInt8], TestFailure>] = [:]

    struct TestFailure: Error, Equatable {
        var code: String
        var message: String
    }

    /// - Parameter settings: What the peer begins with; `nil`: it has not begun.
    init(token: String? = nil, settings: [(UInt16, UInt32)]? = []) throws {
        connection = CallConnection(
            RequestHead.Fixed(authority: "127.0.0.1:50001", usesTLS: false, apiToken: token),
            now: now)
        guard let settings else { return }
        peer.settings(settings)
        try read()
    }

    /// The client reads what the peer has written, and its answers and frames are noted.
    mutating func read() throws {
        connection.receive(peer.take(), now: now)
        try note()
    }

    mutating func note() throws {
        for (token, answer) in connection.takeAnswers() {
            #expect(answers[token] == nil, "call \(token) was answered twice")
            answers[token] = answer.map { Array($0.readableBytesView) }.mapError {
                TestFailure(code: "\($0.code)", message: $0.message)
            }
        }
        try written.take(&connection.output)
    }

    @discardableResult
    mutating func call(
        _ token: Int, bytes: Int = 10, _ method: CallMethod = .publish,
        within timeout: TimeAmount = .seconds(2)
    ) throws -> UInt32 {
        let message = ByteBuffer(repeating: 7, count: bytes)
        let stream = connection.start(
            token, method, message, deadline: now + timeout, now: now)
        try note()
        return stream
    }

    mutating func pass(_ time: TimeAmount) throws {
        now = now + time
        connection.tick(now: now)
        try note()
    }

    func code(_ token: Int) -> String? {
        guard case .failure(let failure) = answers[token] else { return nil }
        return failure.code
    }

    func message(_ token: Int) -> [UInt8]? {
        guard case .success(let message) = answers[token] else { return nil }
        return message
    }
}

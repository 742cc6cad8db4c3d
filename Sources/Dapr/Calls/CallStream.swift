import GRPCCore
import NIOCore

/// One call that is under way, as a stream of HTTP/2.
///
/// A class, so that looking into the table of streams copies nothing; only its machine has it.
final class CallStream<Token> {
    let token: Token
    let begin: NIODeadline
    let deadline: NIODeadline
    /// What the windows have not let out yet.
    var unsent: ByteBuffer
    /// What the peer takes of this stream, in bytes; below zero after it made its window smaller.
    var sendWindow: Int
    /// Bytes of the answer that the peer has not been told room for.
    var unacknowledged = 0
    /// Whether the answer began.
    var hasHead = false
    var message = AnswerMessage()

    init(
        token: Token, begin: NIODeadline, deadline: NIODeadline, unsent: ByteBuffer,
        sendWindow: Int
    ) {
        self.token = token
        self.begin = begin
        self.deadline = deadline
        self.unsent = unsent
        self.sendWindow = sendWindow
    }
}

/// The one message of an answer, put together from the pieces that come (the gRPC protocol over
/// HTTP/2, "Length-Prefixed-Message").
struct AnswerMessage {
    private var prefixBytes = 0
    private var isCompressed = false
    private var length = 0
    private var bytes = ByteBuffer()

    /// - Throws: `RPCError` if it is none that a call may have.
    mutating func append(_ part: ByteBuffer) throws(RPCError) {
        var part = part
        while prefixBytes < 5, let byte = part.readInteger(as: UInt8.self) {
            if prefixBytes == 0 {
                isCompressed = byte != 0
            } else {
                length = length << 8 | Int(byte)
            }
            prefixBytes += 1
        }
        guard !isCompressed else {
            throw RPCError(
                code: .internalError, message: "its answer is compressed, which nobody asked for")
        }
        guard length <= DaprLimits.largestAnswer else {
            throw RPCError(
                code: .resourceExhausted, message: "its answer of \(length) bytes is too large")
        }
        guard bytes.readableBytes + part.readableBytes <= length else {
            throw RPCError(code: .internalError, message: "it answered with more than one message")
        }
        if part.readableBytes > 0 { bytes.writeImmutableBuffer(part) }
    }

    /// - Throws: `RPCError` if it is not whole.
    func whole() throws(RPCError) -> ByteBuffer {
        guard prefixBytes == 5, bytes.readableBytes == length else {
            throw RPCError(code: .internalError, message: "its answer broke off")
        }
        return bytes
    }
}

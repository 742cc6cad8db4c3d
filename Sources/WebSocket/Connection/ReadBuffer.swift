import NIOCore
import NIOPosix

/// The one buffer that the sockets of a loop are read into, each in its turn.
///
/// SwiftNIO keeps receive buffers with each channel: up to 64 KiB for every connection that was busy
/// once, and cold memory for each read. A read is decoded before the next begins, so one buffer is
/// enough for a loop, and one beside it for reads past the channel. A handler gives the buffer back
/// as soon as it has read it; one that is kept is made up for by a new one.
///
/// Confined to its loop.
final class ReadBuffer {
    // What is in it is a thread's own, and a loop is a thread.
    nonisolated(unsafe) private static let ofThread = ThreadSpecificVariable<ReadBuffer>()

    private var buffer: ByteBuffer?
    private var deepMemory: UnsafeMutableRawBufferPointer?

    deinit { self.deepMemory?.deallocate() }

    /// The buffer of the loop that this is called on.
    static var ofThisLoop: ReadBuffer {
        if let buffer = Self.ofThread.currentValue { return buffer }
        let buffer = ReadBuffer()
        Self.ofThread.currentValue = buffer
        return buffer
    }

    /// What is read into past the channel, while it still has the buffer of its own read.
    var deep: UnsafeMutableRawBufferPointer {
        if let memory = self.deepMemory { return memory }
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: WebSocketLimits.readBuffer, alignment: 64)
        self.deepMemory = memory
        return memory
    }

    /// Empty, and nobody else's.
    ///
    /// - Parameter room: Bytes that may be written to it, at most ``WebSocketLimits/readBuffer``.
    func take(_ allocator: ByteBufferAllocator, room: Int) -> ByteBuffer {
        var buffer =
            self.buffer.take() ?? allocator.buffer(capacity: WebSocketLimits.readBuffer)
        buffer.clear()
        // What is too much lies in front, as if it had been read.
        buffer.moveWriterIndex(to: buffer.capacity - room)
        buffer.moveReaderIndex(to: buffer.capacity - room)
        return buffer
    }

    /// - Parameter buffer: Any that a channel has read into; only such as were taken are kept.
    func giveBack(_ buffer: ByteBuffer) {
        if buffer.storageCapacity >= WebSocketLimits.readBuffer { self.buffer = buffer }
    }
}

/// Has a channel read into its loop's buffer, one buffer for each turn.
///
/// The first read goes into a small buffer instead: a channel keeps its first one for good.
struct SharedReadAllocator: RecvByteBufferAllocator {
    /// What a channel needs to be set to: with more reads in a row it would keep more buffers.
    static let readsInARow: UInt = 1

    private var isFirst: Bool
    private let room: Int

    /// For a new channel.
    init() {
        self.isFirst = true
        self.room = WebSocketLimits.shallowRead
    }

    /// For a channel that has read.
    init(deep isDeep: Bool) {
        self.isFirst = false
        self.room = isDeep ? WebSocketLimits.readBuffer : WebSocketLimits.shallowRead
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        guard !self.isFirst else {
            return allocator.buffer(capacity: WebSocketLimits.firstReadBuffer)
        }
        return ReadBuffer.ofThisLoop.take(allocator, room: self.room)
    }

    /// - Returns: True, by which the channel asks for a buffer each time.
    mutating func record(actualReadBytes: Int) -> Bool {
        self.isFirst = false
        return true
    }
}

/// Gives the loop's buffer back once TLS, which is behind it, has copied what was read.
///
/// TLS takes all of a read at once: half a record waits in a buffer of its own, so that none is held
/// here. It has no state; one is enough for all channels.
final class ReadBufferReturn: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    static let shared = ReadBufferReturn()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = ReadBufferReturn.unwrapInboundIn(data)
        context.fireChannelRead(data)
        ReadBuffer.ofThisLoop.giveBack(buffer)
    }
}

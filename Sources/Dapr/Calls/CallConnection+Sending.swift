import NIOCore

extension CallConnection {
    /// Begins a call; ``hasRoom`` must be true.
    ///
    /// - Parameter message: Of the request, with its prefix.
    /// - Returns: the stream, by which it can be cancelled.
    mutating func start(
        _ token: Token, _ method: CallMethod, _ message: ByteBuffer, deadline: NIODeadline,
        now: NIODeadline
    ) -> UInt32 {
        precondition(hasRoom, "a call where there is no room for one")
        let stream = nextStream
        nextStream += 2
        block.clear()
        requests.write(method, timeout: deadline - now, to: &block)
        writeHeaders(stream)
        let call = CallStream(
            token: token, begin: now, deadline: deadline, unsent: message,
            sendWindow: peer.window)
        streams[stream] = call
        send(stream, call)
        wake(at: deadline)
        return stream
    }

    private mutating func writeHeaders(_ stream: UInt32) {
        var kind = HTTP2.FrameKind.headers
        repeat {
            let count = min(block.readableBytes, peer.frame)
            let isLast = count == block.readableBytes
            output.writeFrameHeader(
                kind, isLast ? .endHeaders : [], stream: stream, length: count)
            if var part = block.readSlice(length: count) { output.writeBuffer(&part) }
            kind = .continuation
        } while block.readableBytes > 0
    }

    /// Sends of a stream what the windows let out.
    private mutating func send(_ stream: UInt32, _ call: CallStream<Token>) {
        var rest = call.unsent.readableBytes
        while rest > 0 {
            let count = min(rest, peer.frame, sendWindow, call.sendWindow)
            guard count > 0, var part = call.unsent.readSlice(length: count) else {
                blocked.append(stream)
                return
            }
            rest -= count
            output.writeFrameHeader(
                .data, rest == 0 ? .endStream : [], stream: stream, length: count)
            output.writeBuffer(&part)
            sendWindow -= count
            call.sendWindow -= count
        }
        call.unsent = ByteBuffer()
    }

    /// The same of every stream that waits, the oldest first.
    mutating func sendBlocked() {
        guard !blocked.isEmpty, sendWindow > 0 else { return }
        let waiting = blocked
        blocked.removeAll(keepingCapacity: true)
        for stream in waiting {
            if let call = streams[stream] { send(stream, call) }
        }
    }
}

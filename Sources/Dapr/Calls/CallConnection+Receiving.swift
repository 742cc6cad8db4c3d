import GRPCCore
import NIOCore

extension CallConnection {
    /// Takes what was read.
    mutating func receive(_ bytes: ByteBuffer, now: NIODeadline) {
        guard !isClosed else { return }
        heard(now: now)
        reader.append(bytes)
        do throws(HTTP2.Fault) {
            while !isClosed, let frame = try reader.next() { try take(frame, now: now) }
        } catch {
            end(error, now: now)
        }
    }

    private mutating func take(_ frame: FrameReader.Frame, now: NIODeadline) throws(HTTP2.Fault) {
        if phase == .opening, frame.kind != .settings {
            throw HTTP2.Fault(.protocolError, "does not begin with settings of HTTP/2")
        }
        if openBlock != nil, frame.kind != .continuation {
            throw HTTP2.Fault(.protocolError, "broke off a header block")
        }
        switch frame.kind {
        case .data: try takeData(frame, now: now)
        case .headers: try takeHeaders(frame, now: now)
        case .continuation: try takeContinuation(frame, now: now)
        case .reset: try takeReset(frame, now: now)
        case .settings: try takeSettings(frame)
        case .ping: try takePing(frame)
        case .goAway: try takeGoAway(frame, now: now)
        case .windowUpdate: try takeWindowUpdate(frame, now: now)
        case .pushPromise:
            throw HTTP2.Fault(.protocolError, "pushes streams, which our settings refuse")
        case .priority, nil: break
        }
    }

    /// A frame of a stream is of one that we began.
    private func check(_ stream: UInt32) throws(HTTP2.Fault) {
        guard stream % 2 == 1, stream < nextStream else {
            throw HTTP2.Fault(.protocolError, "sent a frame of stream \(stream), which never began")
        }
    }

    // MARK: Answers

    private mutating func takeData(
        _ frame: FrameReader.Frame, now: NIODeadline
    ) throws(HTTP2.Fault) {
        try check(frame.stream)
        acknowledge(frame.payload.readableBytes)
        var frame = frame
        let length = frame.payload.readableBytes
        try frame.removePadding()
        guard let call = streams[frame.stream] else { return }
        guard call.hasHead else {
            throw HTTP2.Fault(.protocolError, "sent a message ahead of its header fields")
        }
        do throws(RPCError) {
            try call.message.append(frame.payload)
        } catch {
            abandon(frame.stream, error, now: now)
            return
        }
        guard !frame.flags.contains(.endStream) else {
            let error = RPCError(code: .unknown, message: "its answer ended without a status")
            finish(answered: frame.stream, .failure(error), now: now)
            return
        }
        call.unacknowledged += length
        if call.unacknowledged > HTTP2.firstWindow / 2 {
            output.writeWindowUpdate(frame.stream, call.unacknowledged)
            call.unacknowledged = 0
        }
    }

    /// Counts bytes of all streams, also of those that have ended (RFC 9113, 6.9).
    private mutating func acknowledge(_ bytes: Int) {
        unacknowledged += bytes
        if unacknowledged > HTTP2.firstWindow / 2 {
            output.writeWindowUpdate(0, unacknowledged)
            unacknowledged = 0
        }
    }

    private mutating func takeHeaders(
        _ frame: FrameReader.Frame, now: NIODeadline
    ) throws(HTTP2.Fault) {
        try check(frame.stream)
        var frame = frame
        try frame.removePadding()
        let endsStream = frame.flags.contains(.endStream)
        guard frame.flags.contains(.endHeaders) else {
            openBlock = HeaderBlock(
                stream: frame.stream, endsStream: endsStream, bytes: frame.payload)
            return
        }
        try take(try heads.read(frame.payload), of: frame.stream, isLast: endsStream, now: now)
    }

    private mutating func takeContinuation(
        _ frame: FrameReader.Frame, now: NIODeadline
    ) throws(HTTP2.Fault) {
        guard var block = openBlock, block.stream == frame.stream else {
            throw HTTP2.Fault(.protocolError, "goes on with a header block that never began")
        }
        block.bytes.writeImmutableBuffer(frame.payload)
        guard block.bytes.readableBytes <= Self.blockBytes else {
            throw HTTP2.Fault(
                .enhanceYourCalm, "sent header fields of more than \(Self.blockBytes) bytes")
        }
        guard frame.flags.contains(.endHeaders) else {
            openBlock = block
            return
        }
        openBlock = nil
        try take(
            try heads.read(block.bytes), of: block.stream, isLast: block.endsStream, now: now)
    }

    private mutating func take(
        _ head: AnswerHead, of stream: UInt32, isLast: Bool, now: NIODeadline
    ) throws(HTTP2.Fault) {
        guard let call = streams[stream] else { return }
        if isLast {
            finish(answered: stream, answer(call, head), now: now)
        } else if call.hasHead {
            throw HTTP2.Fault(.protocolError, "sent header fields twice in one answer")
        } else if head.isInformational {
            return
        } else if let error = head.refusal {
            abandon(stream, error, now: now)
        } else {
            call.hasHead = true
        }
    }

    private func answer(_ call: CallStream<Token>, _ end: AnswerHead) -> Answer {
        if let error = end.outcome { return .failure(error) }
        return Result { () throws(RPCError) in try call.message.whole() }
    }

    /// The peer has said all; what we have not said it does not want.
    private mutating func finish(answered stream: UInt32, _ answer: Answer, now: NIODeadline) {
        if let call = streams[stream], call.unsent.readableBytes > 0 {
            output.writeReset(stream, .cancel)
        }
        finish(stream, answer, now: now)
    }

    private mutating func takeReset(
        _ frame: FrameReader.Frame, now: NIODeadline
    ) throws(HTTP2.Fault) {
        try check(frame.stream)
        let code = try frame.firstWord()
        // Whatever the reason, nobody knows what the call did, and it may be made again.
        let reason = HTTP2.Code(rawValue: code).map { "\($0)" } ?? "\(code)"
        let error = RPCError(code: .unavailable, message: "it gave the call up (\(reason))")
        finish(frame.stream, .failure(error), now: now)
    }

    // MARK: The connection

    private mutating func takeSettings(_ frame: FrameReader.Frame) throws(HTTP2.Fault) {
        guard frame.stream == 0 else {
            throw HTTP2.Fault(.protocolError, "sent settings of a stream")
        }
        guard !frame.flags.contains(.acknowledges) else { return }
        var rest = frame.payload
        guard rest.readableBytes % 6 == 0 else { throw FrameReader.Frame.tooShort }
        while let (number, value) = rest.readMultipleIntegers(as: (UInt16, UInt32).self) {
            guard let setting = HTTP2.Setting(rawValue: number) else { continue }
            try apply(setting, value)
        }
        output.writeFrameHeader(.settings, .acknowledges, stream: 0, length: 0)
        try countReply()
        opened()
        sendBlocked()
    }

    private mutating func apply(_ setting: HTTP2.Setting, _ value: UInt32) throws(HTTP2.Fault) {
        switch setting {
        case .headerTable: requests.tableSize(value)
        case .streams: peer.streams = Int(value)
        case .frame:
            guard (HTTP2.frameBytes...HTTP2.largestFrameBytes).contains(Int(value)) else {
                throw HTTP2.Fault(.protocolError, "takes frames of \(value) bytes, which none may")
            }
            peer.frame = Int(value)
        case .window:
            guard value <= HTTP2.largestWindow else { throw Self.windowTooLarge }
            let change = Int(value) - peer.window
            peer.window = Int(value)
            for call in streams.values {
                call.sendWindow += change
                guard call.sendWindow <= HTTP2.largestWindow else { throw Self.windowTooLarge }
            }
        case .push, .headerList: break
        }
    }

    private static var windowTooLarge: HTTP2.Fault {
        HTTP2.Fault(.flowControl, "opened a window of more than 2^31 - 1 bytes")
    }

    private mutating func takePing(_ frame: FrameReader.Frame) throws(HTTP2.Fault) {
        guard frame.payload.readableBytes == 8,
            let data = frame.payload.getInteger(at: frame.payload.readerIndex, as: UInt64.self)
        else { throw HTTP2.Fault(.frameSize, "sent a ping that has not eight bytes") }
        guard !frame.flags.contains(.acknowledges) else { return }
        output.writePing(data, .acknowledges)
        try countReply()
    }

    private mutating func countReply() throws(HTTP2.Fault) {
        owedReplies += 1
        guard owedReplies <= Self.repliesAtOnce else {
            throw HTTP2.Fault(.enhanceYourCalm, "wants more replies than it reads")
        }
    }

    /// What the peer has not begun fails at once; it may be made again on another connection.
    private mutating func takeGoAway(
        _ frame: FrameReader.Frame, now: NIODeadline
    ) throws(HTTP2.Fault) {
        let last = try frame.firstWord() & 0x7FFF_FFFF
        drain()
        let error = RPCError(code: .unavailable, message: "it is going away")
        for stream in streams.keys.sorted() where stream > last {
            finish(stream, .failure(error), now: now)
        }
    }

    private mutating func takeWindowUpdate(
        _ frame: FrameReader.Frame, now: NIODeadline
    ) throws(HTTP2.Fault) {
        let increment = Int(try frame.firstWord() & 0x7FFF_FFFF)
        guard increment > 0 else {
            throw HTTP2.Fault(.protocolError, "opens a window by nothing")
        }
        guard frame.stream != 0 else {
            sendWindow += increment
            guard sendWindow <= HTTP2.largestWindow else { throw Self.windowTooLarge }
            sendBlocked()
            return
        }
        try check(frame.stream)
        guard let call = streams[frame.stream] else { return }
        call.sendWindow += increment
        guard call.sendWindow <= HTTP2.largestWindow else { throw Self.windowTooLarge }
        if call.unsent.readableBytes > 0 { sendBlocked() }
    }
}

import GRPCCore
import NIOCore
import NIOEmbedded
import Testing

@testable import Dapr

/// The shell, on a channel without a socket.
struct CallHandlerTests {
    /// A channel with its handler, the peer, and what the handler told.
    final class Line {
        let channel = EmbeddedChannel()
        var peer = PeerEnd()
        var written = Written()
        var events: [String] = []
        var answers: [Int: String] = [:]
        /// Writes of the channel since the last look.
        var writes = 0
        private(set) var handler: CallHandler?

        init() throws {
            let handler = CallHandler(
                RequestHead.Fixed(authority: "localhost", usesTLS: false, apiToken: nil),
                now: channel.eventLoop.now
            ) { [unowned self] _, event in
                switch event {
                case .opened: events.append("opened")
                case .room: events.append("room")
                case .draining: events.append("draining")
                case .closed(let error): events.append("closed: \(error.message)")
                }
            }
            self.handler = handler
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).wait()
            try look()
            peer.settings([(3, 4)])
            try read()
        }

        func read() throws {
            try channel.writeInbound(peer.take())
            try look()
        }

        func look() throws {
            writes = 0
            var output = ByteBuffer()
            while let part = try channel.readOutbound(as: ByteBuffer.self) {
                writes += 1
                output.writeImmutableBuffer(part)
            }
            try written.take(&output)
        }

        func call(_ number: Int, within timeout: TimeAmount = .seconds(2)) -> PendingCall {
            let now = channel.eventLoop.now
            let call = PendingCall(
                .publish, ByteBuffer(repeating: 0, count: 5), deadline: now + timeout)
            call.isAwaited { answer in
                switch answer {
                case .success(let bytes): self.answers[number] = "\(bytes.readableBytes) bytes"
                case .failure(let error): self.answers[number] = "\(error.code)"
                }
            }
            handler?.start(call, now: now)
            return call
        }

        func pass(_ time: TimeAmount) throws {
            channel.embeddedEventLoop.advanceTime(by: time)
            try look()
        }
    }

    @Test func callsOfOneTurnAreOneWrite() throws {
        let line = try Line()
        #expect(line.events == ["opened"])
        for number in 0..<3 { _ = line.call(number) }
        try line.look()
        #expect(line.written.frames.isEmpty)
        line.channel.embeddedEventLoop.run()
        try line.look()
        #expect(line.writes == 1)
        #expect(line.written.frames.count == 6)
    }

    @Test func answersAreToldBeforeThereIsRoomForOthers() throws {
        let line = try Line()
        for number in 0..<4 { _ = line.call(number) }
        #expect(line.handler?.hasRoom == false)
        try line.peer.answer(3, [1, 2])
        try line.read()
        #expect(line.answers == [1: "2 bytes"])
        #expect(line.events == ["opened", "room"])
        #expect(line.handler?.hasRoom == true)
        line.channel.isWritable = false
        #expect(line.handler?.hasRoom == false)
        line.channel.isWritable = true
        line.channel.pipeline.fireChannelWritabilityChanged()
        #expect(line.events.count == 3)
    }

    @Test func theLoopKeepsTheDeadlines() throws {
        let line = try Line()
        _ = line.call(0)
        _ = line.call(1, within: .milliseconds(100))
        try line.pass(.milliseconds(100))
        #expect(line.answers == [1: "deadlineExceeded"])
        #expect(line.written.outline.last == "reset 3 4")
        try line.pass(.milliseconds(1_900))
        #expect(line.answers[0] == "deadlineExceeded")
    }

    @Test func aCancelledCallIsResetAtOnce() throws {
        let line = try Line()
        let call = line.call(0)
        guard case .open(let handler, let stream) = call.place else {
            Issue.record("it did not begin")
            return
        }
        handler.cancel(stream)
        try line.look()
        #expect(line.answers == [0: "cancelled"])
        #expect(line.written.outline.dropFirst() == ["data 1 5 end", "reset 1 4"])
    }

    @Test func aClosedChannelFailsItsCalls() throws {
        let line = try Line()
        _ = line.call(0)
        line.channel.pipeline.fireChannelInactive()
        #expect(line.answers == [0: "unavailable"])
        #expect(line.events.last == "closed: it closed the connection")
    }

    @Test func anErrorOfTheChannelClosesIt() throws {
        struct Broken: Error {}
        let line = try Line()
        _ = line.call(0)
        line.channel.pipeline.fireErrorCaught(Broken())
        #expect(line.answers == [0: "unavailable"])
        #expect(line.events.last == "closed: the connection failed")
        #expect(!line.channel.isActive)
    }

    @Test func itSaysGoodbyeAfterItsLastCall() throws {
        let line = try Line()
        _ = line.call(0)
        line.handler?.drain()
        try line.look()
        #expect(line.events == ["opened", "draining"])
        #expect(line.channel.isActive)
        try line.peer.answer(1)
        try line.read()
        #expect(line.answers == [0: "0 bytes"])
        #expect(line.written.outline == ["goAway 0 8"])
        #expect(!line.channel.isActive)
        #expect(line.events.last?.hasPrefix("closed") == true)
    }

    @Test func aFaultOfThePeerIsSaidAndTold() throws {
        let line = try Line()
        line.peer.frame(5, .endHeaders, stream: 1)
        try line.read()
        #expect(line.written.outline == ["goAway 0 8"])
        #expect(line.events.last == "closed: it pushes streams, which our settings refuse")
        #expect(!line.channel.isActive)
    }
}

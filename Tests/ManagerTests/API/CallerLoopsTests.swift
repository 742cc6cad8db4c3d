import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOEmbedded
import Testing

@testable import Manager

struct CallerLoopsTests {
    @Test(arguments: [
        ("127.0.0.1", "ipv4:127.0.0.1:4711"), ("::1", "ipv6:[::1]:4711"),
    ])
    func aCallerIsKnownFromItsConnectionsFirstMomentToItsLast(
        _ host: String, _ caller: String
    ) throws {
        let loop = EmbeddedEventLoop()
        let loops = CallerLoops([loop])
        let channel = try accepted(by: loops, on: loop)
        #expect(loops.executor(of: caller) == nil)
        let address = try NIOCore.SocketAddress.makeAddressResolvingHost(host, port: 4711)
        channel.remoteAddress = address
        try channel.connect(to: address).wait()
        #expect(loops.executor(of: caller) != nil)
        #expect(loops.executor(of: "ipv4:127.0.0.2:4711") == nil)
        #expect(loops.executor(of: "in-process:1") == nil)
        try channel.close().wait()
        #expect(loops.executor(of: caller) == nil)
    }

    @Test func whatElseIsDoneToConnectionsIsDoneStill() throws {
        let loop = EmbeddedEventLoop()
        var config = HTTP2ServerTransport.Posix.Config.defaults
        let fault = ChannelError.eof
        config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
            channel.eventLoop.makeFailedFuture(fault)
        }
        CallerLoops([loop]).watch(&config)
        let channel = EmbeddedChannel(loop: loop)
        let accept = try #require(config.channelDebuggingCallbacks.onAcceptTCPConnection)
        #expect(throws: fault) { try accept(channel).wait() }
    }

    private func accepted(
        by loops: CallerLoops, on loop: EmbeddedEventLoop
    ) throws -> EmbeddedChannel {
        var config = HTTP2ServerTransport.Posix.Config.defaults
        loops.watch(&config)
        let channel = EmbeddedChannel(loop: loop)
        let accept = try #require(config.channelDebuggingCallbacks.onAcceptTCPConnection)
        try accept(channel).wait()
        return channel
    }
}

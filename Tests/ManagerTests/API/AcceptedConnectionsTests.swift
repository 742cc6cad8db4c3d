import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOEmbedded
import NIOHTTP2
import Testing

@testable import Manager

struct AcceptedConnectionsTests {
    @Test func windowUpdatesEndInThePipelineAndNothingElseDoes() throws {
        let loop = EmbeddedEventLoop()
        var config = HTTP2ServerTransport.Posix.Config.defaults
        config.endWindowUpdatesInPipeline()
        let channel = EmbeddedChannel(handler: NIOHTTP2Handler(mode: .server), loop: loop)
        let accept = try #require(config.channelDebuggingCallbacks.onAcceptTCPConnection)
        try accept(channel).wait()
        try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()

        let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
        let update: [UInt8] = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 16, 0]
        let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        try channel.writeInbound(ByteBuffer(bytes: preface + settings + update + ping + update))

        var kinds: [String] = []
        while let frame = try channel.readInbound(as: HTTP2Frame.self) {
            switch frame.payload {
            case .settings: kinds.append("settings")
            case .ping: kinds.append("ping")
            default: kinds.append("\(frame.payload)")
            }
        }
        #expect(kinds == ["settings", "ping"])
    }
}

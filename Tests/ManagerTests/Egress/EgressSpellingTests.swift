import Feed
import ManagerCore
import NIOCore
import NIOPosix
import Spec
import Synchronization
import Testing

@testable import Manager
@testable import WebSocket

/// Every way to write an address that must not be dialled, through the real parser, the real
/// resolver and the real dial: refused as a URL, or by the guard, which saw the address itself.
@Suite(.timeLimit(.minutes(2)))
struct EgressSpellingTests {
    /// Forbidden to a Connect on a server that is bound beyond loopback.
    static let spellings = [
        // As they are.
        "ws://127.0.0.1/", "ws://[::1]/", "ws://169.254.169.254/latest/meta-data/",
        "wss://169.254.169.254/", "ws://10.0.0.1:6379/", "ws://172.16.0.1/",
        "ws://192.168.1.1/", "ws://100.64.0.1/", "ws://100.100.100.200/",
        "ws://168.63.129.16/", "ws://0.0.0.0/", "ws://255.255.255.255/", "ws://224.0.0.1/",
        "ws://[fd00:ec2::254]/", "ws://[fe80::1]/", "ws://[fd12:3456::1]/", "ws://[ff02::1]/",
        "ws://[::]/", "ws://127.127.127.127/", "ws://0.1.2.3/",
        // Numbers: decimal, octal, hexadecimal, mixed, short.
        "ws://2130706433/", "ws://2852039166/", "ws://0177.0.0.1/", "ws://0177.0.0.01/",
        "ws://0x7f.1/", "ws://0x7f000001/", "ws://0x7f.0x0.0x0.0x1/", "ws://127.1/",
        "ws://127.0.1/", "ws://0/", "ws://017700000001/", "ws://0xA9FEA9FE/",
        "ws://0xa9.0xfe.0xa9.0xfe/", "ws://127.0.0.0x1/", "ws://169.254.43518/",
        "ws://127.0.0.1.:80/", "ws://0x7f.0x0.0x0.0x1./", "ws://00000127.0.0.1/",
        "ws://4294967296/",
        // IPv4 inside IPv6.
        "ws://[::ffff:127.0.0.1]/", "ws://[::ffff:7f00:1]/", "ws://[0:0:0:0:0:ffff:a9fe:a9fe]/",
        "ws://[::FFFF:169.254.169.254]/", "ws://[::127.0.0.1]/", "ws://[64:ff9b::a9fe:a9fe]/",
        "ws://[64:ff9b:1::7f00:1]/", "ws://[2002:7f00:1::]/", "ws://[2001:0:1:1::80ff:fffe]/",
        "ws://[::ffff:0:127.0.0.1]/",
        // Zones, case, dots, percent, other digits, user info, several hosts.
        "ws://[fe80::1%25eth0]/", "ws://[fe80::1%eth0]/", "ws://[::1%25lo]/",
        "ws://LOCALHOST/", "ws://localhost./", "ws://localhost/", "ws://%31%32%37.0.0.1/",
        "ws://127%2e0%2e0%2e1/", "ws://１２７.０.０.１/", "ws://①②⑦.⓪.⓪.①/", "ws://127。0。0。1/",
        "ws://example.com@127.0.0.1/", "ws://127.0.0.1#@example.com/",
        "ws://example.com\\@127.0.0.1/", "ws://[::1]example.com/", "ws://127.0.0.1:80:80/",
        "ws:///127.0.0.1/", "ws:127.0.0.1/", "http://127.0.0.1/", "ws://127.0.0.1%00.example/",
    ]

    private static let guarding = EgressGuard(
        policy: EgressPolicy(isBoundToLoopback: false), origin: .api)

    private enum End: Equatable {
        case noURL
        case refused
        /// The name has no address here.
        case unknownName
        case slippedThrough(String)
    }

    private func end(of url: String) async -> End {
        let input: DialInput
        switch DialInput.resolve(
            ConnectionSpec(url: url), secrets: .none, egress: Self.guarding)
        {
        case .success(let resolved): input = resolved
        case .failure: return .noURL
        }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let dial = WebSocketDialer(group: loop).dial(input.request, on: loop) { _ in
            Ignoring()
        }
        do {
            _ = try await dial.result.get()
            return .slippedThrough("it is open")
        } catch let error as WebSocketDialError {
            switch (error.phase, error.code) {
            case (_, .addressRefused): return .refused
            case (.resolve, _): return .unknownName
            default: return .slippedThrough(error.message)
            }
        } catch {
            return .slippedThrough("\(error)")
        }
    }

    @Test func thereAreFiftyOfThem() {
        #expect(Set(Self.spellings).count >= 50)
    }

    @Test(arguments: spellings)
    func noSpellingSlipsThrough(_ url: String) async {
        if case .slippedThrough(let what) = await end(of: url) {
            Issue.record("\(url): \(what)")
        }
    }

    /// What the C library reads as a number though it is no dotted decimal is seen as the address it
    /// becomes.
    @Test(arguments: ["ws://0x7f000001/", "ws://127.0.0.0x1/", "ws://0xa9.0xfe.0xa9.0xfe/"])
    func numbersOfTheCLibraryEndAtTheGuard(_ url: String) async {
        #expect(await end(of: url) == .refused)
    }

    @Test func aNameThatIsReboundIsJudgedAtEveryDial() async throws {
        let feed = try await FeedServer.start()
        let answers = Mutex(["127.0.0.1", "169.254.169.254", "127.0.0.1"])
        let resolver = Answering { _ in
            let next = answers.withLock { $0.removeFirst() }
            return [try SocketAddress(ipAddress: next, port: feed.port)]
        }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let dialer = WebSocketDialer(group: loop, resolver: resolver)
        let egress = EgressGuard(policy: EgressPolicy(isBoundToLoopback: true), origin: .manifest)
        let spec = ConnectionSpec(url: "ws://rebound.example:\(feed.port)/mute")
        var codes: [WebSocketDialError.Code?] = []
        for _ in 0..<3 {
            let input = try DialInput.resolve(spec, secrets: .none, egress: egress).get()
            do {
                let socket = try await dialer.dial(input.request, on: loop) { _ in Ignoring() }
                    .result.get()
                socket.abort()
                codes.append(nil)
            } catch let error as WebSocketDialError {
                codes.append(error.code)
            }
        }
        #expect(codes == [nil, .addressRefused, nil])
        await feed.stop()
    }
}

extension SecretResolver {
    fileprivate static let none = SecretResolver(
        directory: nil, environmentPrefix: "WSM_SECRET_", environment: [:])
}

/// A delegate nobody hears.
private final class Ignoring: WebSocketDelegate {
    func webSocketReceived(_ segments: [MessageSegment], bytes: Int) {}
    func webSocketReceivedPong(_ payload: [UInt8]) {}
    func webSocketClosed(_ close: WebSocketClose) {}
}

private struct Answering: HostResolver {
    var answer: @Sendable (String) throws -> [SocketAddress]

    func resolve(
        _ host: String, port: Int, on loop: any EventLoop
    ) -> EventLoopFuture<[SocketAddress]> {
        loop.makeCompletedFuture { try answer(host) }
    }
}

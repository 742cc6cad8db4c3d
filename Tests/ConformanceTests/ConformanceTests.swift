import NIOCore
import NIOPosix
import TestKit
import Testing
import WebSocket

/// Our client against the whole catalogue.
struct ConformanceTests {
    /// Cases of each part, as the suite has them: 517.
    static let counts: KeyValuePairs<String, Int> = [
        "1.1": 8, "1.2": 8, "2": 11, "3": 7, "4.1": 5, "4.2": 5, "5": 20, "6.1": 3, "6.2": 4,
        "6.3": 2, "6.4": 4, "6.5": 5, "6.6": 11, "6.7": 4, "6.8": 2, "6.9": 4, "6.10": 3, "6.11": 5,
        "6.12": 8, "6.13": 5, "6.14": 10, "6.15": 1, "6.16": 3, "6.17": 5, "6.18": 5, "6.19": 5,
        "6.20": 7, "6.21": 8, "6.22": 34, "6.23": 7, "7.1": 6, "7.3": 6, "7.5": 1, "7.7": 13,
        "7.9": 9, "7.13": 2, "9.1": 6, "9.2": 6, "9.3": 9, "9.4": 9, "9.5": 6, "9.6": 6, "9.7": 6,
        "9.8": 6, "10.1": 1, "12.1": 18, "12.2": 18, "12.3": 18, "12.4": 18, "12.5": 18, "13.1": 18,
        "13.2": 18, "13.3": 18, "13.4": 18, "13.5": 18, "13.6": 18, "13.7": 18,
    ]

    @Test func theCatalogueIsWhole() {
        let wanted = Self.counts.flatMap { part, count in (1...count).map { "\(part).\($0)" } }
        #expect(wanted.count == 517)
        #expect(ConformanceCatalogue.all.map(\.id) == wanted)
    }

    @Test(arguments: ConformanceCatalogue.groups)
    func everyCaseOfAGroupPasses(_ group: String) async throws {
        let cases = ConformanceCatalogue.cases(of: group)
        let loops = MultiThreadedEventLoopGroup.singleton
        let server = try await FuzzingServer.start(cases, on: loops)
        let dialer = WebSocketDialer(group: loops)
        for testCase in cases {
            let verdict = server.verdict(of: testCase.id)
            let close = try await EchoAgent.run(
                Self.request(testCase, port: server.port), dialer: dialer, on: loops.next())
            let fault = try await verdict.get()
            #expect(fault == nil, "\(testCase.id)")
            Self.check(close, testCase)
        }
        try await server.stop()
    }

    /// What our side says of the end must be what the server saw.
    private static func check(_ close: WebSocketClose, _ testCase: ConformanceCase) {
        switch testCase.end {
        case .closedByServer:
            #expect(close.wasClean && close.receivedCode == 1000, "\(testCase.id): \(close)")
        case .closedByScript(let codes, let mayBeEmpty):
            #expect(close.sentCode.map(codes.contains) ?? mayBeEmpty, "\(testCase.id): \(close)")
        case .failedByClient(let codes):
            #expect(close.sentCode.map(codes.contains) == true, "\(testCase.id): \(close)")
            #expect(close.error != nil && !close.wasClean, "\(testCase.id): \(close)")
        }
    }

    private static func request(_ testCase: ConformanceCase, port: Int) -> WebSocketRequest {
        let compression = testCase.terms.map { terms in
            CompressionOptions(
                isRequired: true, serverContextTakeover: terms.serverKeepsContext,
                clientContextTakeover: true, serverMaxWindowBits: terms.serverWindowBits,
                threshold: 0)
        }
        return WebSocketRequest(
            host: "127.0.0.1", port: port, authority: "127.0.0.1:\(port)",
            requestTarget: "/\(testCase.id)", compression: compression, maxMessageSize: 16 << 20)
    }
}

import NIOCore
import NIOPosix
import Spec
import TestKit
import WebSocket

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Drives our client as the Autobahn test suite asks of one: every case is dialled and echoed, then
/// the report is asked for.
///
///     AUTOBAHN_URL=ws://127.0.0.1:9001 ws-echo [FIRST LAST]
///
/// FIRST and LAST bound the cases, counted from 1. Ends with status 1 when a dial fails; what came
/// of the cases is in the suite's report.
@main
struct EchoProgram {
    /// The suite's largest message, in bytes.
    private static let maxMessageSize = 16 << 20

    private let base: Endpoint
    private let dialer: WebSocketDialer
    private let loops: any EventLoopGroup

    static func main() async {
        let usage = "usage: AUTOBAHN_URL=ws://HOST:PORT ws-echo [FIRST LAST]"
        let numbers = CommandLine.arguments.dropFirst().map(Int.init)
        guard let url = ProcessInfo.processInfo.environment["AUTOBAHN_URL"],
            let base = try? Endpoint.parse(url), [0, 2].contains(numbers.count)
        else { return self.stop(usage) }
        let bounds = numbers.compactMap(\.self)
        guard bounds.count == numbers.count, bounds.allSatisfy({ $0 > 0 }) else {
            return self.stop(usage)
        }
        let loops = MultiThreadedEventLoopGroup.singleton
        let program = EchoProgram(
            base: base, dialer: WebSocketDialer(group: loops), loops: loops)
        do {
            try await program.run(first: bounds.first ?? 1, last: bounds.last)
        } catch {
            self.stop("\(error)")
        }
    }

    private func run(first: Int, last: Int?) async throws {
        let count = try await self.caseCount()
        let last = min(last ?? count, count)
        for number in stride(from: first, through: last, by: 1) {
            try await self.echo("/runCase?case=\(number)&agent=wsm")
        }
        try await self.echo("/updateReports?agent=wsm")
        print("ws-echo: cases \(first) to \(last) of \(count)")
    }

    private func echo(_ target: String) async throws {
        _ = try await EchoAgent.run(
            self.request(target), dialer: self.dialer, on: self.loops.next())
    }

    private struct NoCount: Error, CustomStringConvertible {
        var description: String { "the server did not answer getCaseCount with a number" }
    }

    private func caseCount() async throws -> Int {
        let message = try await EchoAgent.firstMessage(
            self.request("/getCaseCount"), dialer: self.dialer, on: self.loops.next())
        guard let message, let count = Int(String(decoding: message.payload, as: UTF8.self)) else {
            throw NoCount()
        }
        return count
    }

    private func request(_ target: String) -> WebSocketRequest {
        WebSocketRequest(
            isSecure: self.base.isSecure, host: self.base.host, port: self.base.port,
            authority: self.base.authority, requestTarget: target,
            compression: CompressionOptions(clientContextTakeover: true, threshold: 0),
            maxMessageSize: Self.maxMessageSize)
    }

    private static func stop(_ message: String) {
        let bytes = Array("ws-echo: \(message)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
        exit(1)
    }
}

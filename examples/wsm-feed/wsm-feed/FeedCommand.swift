import ArgumentParser
import Dispatch
import Feed

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A WebSocket server to play with.
@main
struct FeedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wsm-feed",
        abstract: "A WebSocket server to play with: every path behaves in its own way.",
        discussion: "Stops on SIGINT or SIGTERM.")

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Port to listen on; 0 for any free one.")
    var port = 9100

    @Option(help: "Messages a second of a feed whose query has no rate.")
    var rate = 2.0

    @Option(help: "Event loops.")
    var threads = 2

    func validate() throws {
        guard (0...65_535).contains(self.port) else {
            throw ValidationError("--port must be in 0-65535")
        }
        guard (0.01...1000).contains(self.rate) else {
            throw ValidationError("--rate must be in 0.01-1000")
        }
        guard (1...64).contains(self.threads) else {
            throw ValidationError("--threads must be in 1-64")
        }
    }

    func run() async throws {
        let server: FeedServer
        do {
            server = try await FeedServer.start(
                host: self.host, port: self.port, rate: self.rate, threads: self.threads)
        } catch {
            throw ValidationError("cannot listen on \(self.host):\(self.port): \(error)")
        }
        print("wsm-feed listens on ws://\(self.host):\(server.port)")
        for path in FeedPath.all {
            print("  \(path.path)\(path.parameters)\n      \(path.summary)")
        }
        fflush(nil)
        await Self.stopRequested()
        await server.stop()
    }

    /// Returns on the first SIGINT or SIGTERM.
    private static func stopRequested() async {
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
        for await _ in signals { break }
        for source in sources { source.cancel() }
    }
}

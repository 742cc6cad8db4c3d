import ArgumentParser
import Foundation
import Logging
import Manager
import Spec
import UnixSignals

/// Starts a server, and stops it in order on SIGTERM or SIGINT.
@main
struct Server: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wsm-server",
        abstract: "Keeps WebSocket connections as declared and publishes what they bring.",
        discussion: """
            Every option can be given as an environment variable too: WSM_ and its name in capitals, \
            dashes as underscores (WSM_GRPC_PORT). An option on the command line wins.

            SIGHUP reads tokens and certificates again.

            Exit codes: 0 stopped in order, 1 could not start or failed, 2 usage.
            """,
        version: Version.text)

    @OptionGroup var options: ServerOptions

    /// The exit codes of the discussion above, in place of the argument parser's own.
    static func main() async {
        do {
            let command = try Self.parse()
            try await command.run()
        } catch let code as ExitCode {
            ProcessLimits.leave(code.rawValue)
        } catch  where exitCode(for: error).isSuccess {
            print(fullMessage(for: error))
        } catch {
            FileHandle.standardError.write(Data((fullMessage(for: error) + "\n").utf8))
            ProcessLimits.leave(2)
        }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let configuration: ServerConfiguration
        let level: Logger.Level
        do {
            (configuration, level) = try options.resolve(environment)
            try configuration.validate()
        } catch {
            throw ValidationError("\(error)")
        }
        ProcessLimits.raise()
        var logger = Logger(label: "wsm-server") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        logger[metadataKey: "wsm.instance.id"] = "\(configuration.instanceID)"
        do {
            try await serve(configuration, logger: logger)
        } catch {
            logger.critical("the server cannot run", metadata: ["error": "\(error)"])
            throw ExitCode(1)
        }
    }

    private func serve(_ configuration: ServerConfiguration, logger: Logger) async throws {
        let server = try await ManagerServer.start(
            configuration,
            resources: .embedded(dataDirectory: configuration.dataDirectory),
            version: Version.text, logger: logger)
        // Trapped before anybody is told that there is a process to signal.
        let events = await Self.events(of: server)
        logger.info(
            "ready",
            metadata: [
                "grpc": "\(configuration.bind):\(server.grpcPort)",
                "data_dir": "\(configuration.dataDirectory)", "version": "\(Version.text)",
                "connections": "\(server.store.desiredNames().count)",
            ])
        for await event in events {
            if case .apiEnded(let error) = event { throw error }
            break
        }
        // A second signal: the operator does not want to wait.
        let impatience = Task {
            for await event in events {
                if case .signal = event { ProcessLimits.leave(130) }
            }
        }
        let lost = await server.stop()
        impatience.cancel()
        logger.info("stopped", metadata: ["lost": "\(lost)"])
    }

    /// What ends a server: a signal, or the API by itself.
    private enum Event: Sendable {
        case signal
        case apiEnded(any Error)
    }

    private struct APIEnded: Error, CustomStringConvertible {
        var description: String { "the API stopped by itself" }
    }

    private static func events(of server: ManagerServer) async -> AsyncStream<Event> {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        Task {
            for await signal in signals {
                if signal == .sighup { await server.reload() } else { continuation.yield(.signal) }
            }
            // Its sources stop when it is let go, and the loop alone does not hold it.
            withExtendedLifetime(signals) {}
        }
        Task {
            do {
                try await server.serverEnded()
                continuation.yield(.apiEnded(APIEnded()))
            } catch {
                continuation.yield(.apiEnded(error))
            }
        }
        return events
    }
}

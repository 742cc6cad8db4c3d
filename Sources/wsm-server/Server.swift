import ArgumentParser
import Foundation
import Logging
import Manager
import ServerSettings
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
            dashes as underscores (WSM_GRPC_PORT; but WSM_SERVER_TOKEN_FILE, WSM_SERVER_INSECURE and \
            WSM_CONFIG_FILE, since wsm-apply has the shorter names); and in the file of --config, in camel case \
            (grpcPort). The command line wins over the environment, and that over the file.

            SIGHUP reads tokens, certificates and the manifest directory again.

            Exit codes: 0 stopped in order, 1 could not start or failed, 2 usage, 130 ended by a \
            second signal.
            """,
        version: Version.text,
        helpNames: [.short, .long, .customShort("?")])

    @OptionGroup var options: ServerOptions

    /// The exit codes of the discussion above, in place of the argument parser's own.
    static func main() async {
        Heap.prepare()
        do {
            let command = try Self.parse()
            try await command.run()
        } catch let code as ExitCode {
            ProcessLimits.leave(code.rawValue)
        } catch  where exitCode(for: error).isSuccess {
            print(fullMessage(for: error))
        } catch {
            tell(fullMessage(for: error))
            ProcessLimits.leave(2)
        }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let settings = ResolvedSettings(
            flags: options.given, environment: environment,
            host: HostFacts(hostName: ProcessLimits.hostName, isRoot: ProcessLimits.isRoot),
            readFile: SettingsFileReader.bytes(of:))
        if options.printConfig {
            let isJSON = options.output == .json
            print(
                isJSON ? ConfigPrinting.json(settings) : ConfigPrinting.text(settings),
                terminator: "")
        }
        let start: ServerStart
        do {
            start = try ServerStart(settings, environment: environment)
        } catch {
            throw ValidationError("\(error)")
        }
        if options.printConfig { return }
        ProcessLimits.raise()
        var logger = ServerLog.logger(
            label: "wsm-server", level: start.logLevel, format: start.logFormat)
        logger[metadataKey: "wsm.instance.id"] = "\(start.configuration.instanceID)"
        for warning in settings.warnings {
            logger.warning("a setting is not used", metadata: ["cause": "\(warning)"])
        }
        do {
            try await serve(
                start.configuration, manager: ServiceManager(environment: environment),
                logger: logger)
        } catch {
            logger.critical("the server cannot run", metadata: ["error": "\(error)"])
            if start.logLevel == nil { Self.tell("the server cannot run: \(error)") }
            throw ExitCode(1)
        }
    }

    private static func tell(_ sentence: String) {
        FileHandle.standardError.write(Data((sentence + "\n").utf8))
    }

    private func serve(
        _ configuration: ServerConfiguration, manager: ServiceManager, logger: Logger
    ) async throws {
        // Before the start, so that a signal that comes meanwhile is answered by an orderly end.
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        await Self.trapSignals(continuation)
        let server = try await ManagerServer.start(
            configuration,
            resources: .open(configuration, logger: logger),
            version: Version.text, logger: logger)
        logger.info(
            "ready",
            metadata: [
                "grpc": "\(configuration.bind):\(server.grpcPort)",
                "http": "\(configuration.bind):\(server.httpPort)",
                "data_dir": "\(configuration.dataDirectory)", "version": "\(Version.text)",
                "connections": "\(server.store.desiredNames().count)",
            ])
        Self.watch(server, continuation)
        // Ready is the first word: the watchdog's task may run before this one goes on.
        manager.ready(status: "\(server.store.desiredNames().count) connections declared")
        let watchdog = Task { await manager.keepWatchdog(isAlive: { server.isTurning }) }
        var fault: (any Error)?
        waiting: for await event in events {
            switch event {
            case .reload:
                // Beside this loop: a file on a disk that hangs must not keep a signal waiting.
                Task {
                    manager.reloading()
                    await server.reload()
                    manager.ready(status: "files were read again")
                }
            case .apiEnded(let error):
                logger.critical("the server has to end", metadata: ["error": "\(error)"])
                fault = error
                break waiting
            case .signal, .left: break waiting
            }
        }
        manager.stopping()
        // A second signal: the operator does not want to wait.
        let stopping = ContinuousClock.now
        let impatience = Task {
            for await event in events where stopping.duration(to: .now) >= Self.oneSignal {
                if case .signal = event { ProcessLimits.leave(130) }
            }
        }
        let lost = await server.stop()
        impatience.cancel()
        watchdog.cancel()
        logger.info("stopped", metadata: ["lost": "\(lost)"])
        if let fault { throw fault }
    }

    /// Signals closer together than this are one: `timeout`, a shell and a supervisor signal the
    /// process and its group, and nobody changes their mind so fast.
    private static let oneSignal: Duration = .seconds(1)

    /// What ends a server, a signal or the API by itself, and SIGHUP, which does not.
    private enum Event: Sendable {
        case signal
        case reload
        /// Out of the cluster, as somebody asked.
        case left
        case apiEnded(any Error)
    }

    private struct APIEnded: Error, CustomStringConvertible {
        var description: String { "the API stopped by itself" }
    }

    private static func trapSignals(_ events: AsyncStream<Event>.Continuation) async {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        Task {
            for await signal in signals { events.yield(signal == .sighup ? .reload : .signal) }
            // Its sources stop when it is let go, and the loop alone does not hold it.
            withExtendedLifetime(signals) {}
        }
    }

    private static func watch(
        _ server: ManagerServer, _ events: AsyncStream<Event>.Continuation
    ) {
        Task {
            do {
                guard server.cluster != nil else { return }
                try await server.membershipEnded()
                events.yield(.left)
            } catch {
                events.yield(.apiEnded(error))
            }
        }
        Task {
            do {
                try await server.serverEnded()
                events.yield(.apiEnded(APIEnded()))
            } catch {
                events.yield(.apiEnded(error))
            }
        }
    }
}

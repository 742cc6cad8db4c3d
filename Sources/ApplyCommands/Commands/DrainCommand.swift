internal import ArgumentParser
internal import GRPCCore
internal import ManagerAPI

/// `drain`: makes an instance hand over everything and end.
struct DrainCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Make an instance hand over everything it has, and end.",
        discussion: """
            The others dial before the instance hangs up, so that nothing is missed where the remote \
            allows two sockets. Without another member to hand over to it closes its sockets and \
            leaves. --restart announces that it comes back at once: what it had is kept for it for a \
            while, and others stand in.

            Examples:
              wsm-apply drain wsm-2
              wsm-apply drain wsm-2 --wait --timeout 2m
              wsm-apply drain wsm-2 --call-off
            """)

    /// Between two looks at what is left.
    static let pollInterval = Duration.milliseconds(500)

    @Argument(help: ArgumentHelp("As in the table of cluster.", valueName: "instance"))
    var instance: String

    @Flag(help: "Return when it is gone, not when it has begun.")
    var wait = false

    @Flag(help: "It comes back at once.")
    var restart = false

    @Flag(help: "Call a drain off, where it is not too late.")
    var callOff = false

    @Option(help: ArgumentHelp("How long --wait waits.", valueName: "duration"))
    var timeout = DurationArgument(.seconds(120))

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if callOff, wait || restart {
            throw ValidationError("--call-off goes neither with --wait nor with --restart")
        }
    }

    func run(in session: Session) async throws -> CommandStatus {
        session.nameContext()
        return try await ServerConnection.with(session, refusal: .conflict) { server in
            if callOff { return try await callOff(on: server, session) }
            var request = Wsm_V1_DrainRequest()
            request.instance = instance
            request.restart = restart
            let response = try await server.orchestrator.drain(
                request, options: ServerConnection.options(timeout: .seconds(20)))
            let shards = Int(response.shards).counted("shard")
            session.note("\(name) is draining: \(shards) to hand over")
            return wait ? try await waitForEnd(on: server, session) : .done
        }
    }

    private var name: String { TerminalText.safe(instance) }

    private func callOff(
        on server: ServerConnection, _ session: Session
    ) async throws -> CommandStatus {
        var request = Wsm_V1_CallOffDrainRequest()
        request.instance = instance
        _ = try await server.orchestrator.callOffDrain(
            request, options: ServerConnection.options(timeout: .seconds(20)))
        session.note("the drain of \(name) is called off")
        return .done
    }

    /// The server that is asked may be the one that goes: then its end is the end of the drain.
    private func waitForEnd(
        on server: ServerConnection, _ session: Session
    ) async throws -> CommandStatus {
        let end = ContinuousClock.now.advanced(by: timeout.duration)
        var request = Wsm_V1_GetClusterRequest()
        request.brief = true
        let isSelf = server.serverInfo.instanceID == instance
        while true {
            do {
                let cluster = try await server.orchestrator.getCluster(
                    request, options: ServerConnection.options(timeout: .seconds(20)))
                let isThere = cluster.members.contains {
                    $0.instance == instance && ($0.state == "alive" || $0.state == "draining")
                }
                guard isThere else { break }
            } catch let error as RPCError where isSelf && error.code == .unavailable {
                break
            }
            guard ContinuousClock.now < end else {
                throw CommandFailure(.timedOut, "\(name) is still draining: see wsm-apply cluster")
            }
            try await session.console.sleep(Self.pollInterval)
        }
        session.note("\(name) is gone")
        return .done
    }
}

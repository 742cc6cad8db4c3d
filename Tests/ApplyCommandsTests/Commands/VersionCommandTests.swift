import ApplyCommands
import ManagerAPI
import Testing

struct VersionCommandTests {
    private static var script: FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        script.info = {
            var info = Wsm_V1_ServerInfo()
            info.version = "0.1.0"
            info.instanceID = "host-5002"
            info.epoch = 3
            info.startedAt = 1_000_000 - 3600
            info.connections = 12
            return info
        }
        return script
    }

    @Test func showsClientAndServer() async throws {
        let fake = FakeOrchestrator(Self.script)
        let (run, address) = try await fake.serve { world in
            (await world.run(["version"]), world.environment["WSM_SERVER"] ?? "")
        }
        #expect(
            run.output == """
                client  0.1.0
                server  0.1.0 at \(address), instance host-5002, up 1h, 12 connections

                """)
        #expect(run.status == .done)
    }

    @Test func aServerOutOfReachIsShownAndIsCode3() async throws {
        let run = await World().run(["version", "--server", "127.0.0.1:1"])
        #expect(
            run.output == """
                client  0.1.0
                server  cannot reach the server at 127.0.0.1:1: Connection refused. Is wsm-server \
                running there? The address comes from --server HOST:PORT or WSM_SERVER

                """)
        #expect(run.status == .unreachable)
    }

    @Test func theClientAloneNeedsNoServer() async throws {
        let run = await World().run(["version", "--client", "--server", "127.0.0.1:1"])
        #expect(run.output == "client  0.1.0\n")
        #expect(run.status == .done)
    }

    @Test func jsonHasBoth() async throws {
        let fake = FakeOrchestrator(Self.script)
        let (run, address) = try await fake.serve { world in
            (await world.run(["version", "-o", "json"]), world.environment["WSM_SERVER"] ?? "")
        }
        #expect(
            run.output == """
                {
                  "apiVersion": "wsm.virtufin.com/v1",
                  "kind": "Version",
                  "client": {
                    "version": "0.1.0"
                  },
                  "server": {
                    "version": "0.1.0",
                    "address": "\(address)",
                    "instanceId": "host-5002",
                    "epoch": 3,
                    "startedAt": "1970-01-12T12:46:40Z",
                    "connections": 12
                  }
                }

                """)
    }

    @Test func helpHasExamplesAndTheExitCodes() async throws {
        let root = await World().run(["--help"])
        #expect(root.status == .done)
        for status in CommandStatus.allCases {
            #expect(root.output.contains("\(status.rawValue)  \(status.meaning)"))
        }
        for verb in [
            "apply", "plan", "diff", "validate", "get", "describe", "delete", "tail", "send",
            "version",
        ] {
            let help = await World().run([verb, "--help"])
            #expect(help.status == .done)
            #expect(help.output.contains("Examples:"))
            #expect(help.output.contains("--server"))
            let other = await World().run(["help", verb])
            #expect(other.output.contains("Examples:"))
        }
    }
}

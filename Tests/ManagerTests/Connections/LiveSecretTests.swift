import Feed
import Manager
import ManagerAPI
import ManagerCore
import TestKit
import Testing

/// `valueFrom` on live dials.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LiveSecretTests {
    private func headers(_ source: String) -> String {
        "headers: {Authorization: {valueFrom: {\(source)}}}"
    }

    @Test func secretsReachTheServerAndNobodyElse() async throws {
        try await Live.run(configure: { $0.environment = ["WSM_SECRET_T": "env-s3cret"] }) { live in
            try live.secrets.write("file-s3cret\n", to: "token")
            try await live.declare("env", "/mute?x=env", headers("env: WSM_SECRET_T"))
            try await live.declare("file", "/mute?x=file", headers("file: token"))
            #expect(await live.server.ready("env", "file"))
            let sent = live.feed.handshakes.compactMap { $0.header("Authorization") }
            #expect(Set(sent) == ["env-s3cret", "file-s3cret"])
            let shown = try await live.server.orchestrator.get(
                .with {
                    $0.kind = "Connection"
                    $0.name = "env"
                })
            let json = String(decoding: shown.json, as: UTF8.self)
            #expect(json.contains("WSM_SECRET_T"))
            #expect(!json.contains("s3cret"))
        }
    }

    @Test func aMissingSecretStallsAndHealsWhenItAppears() async throws {
        try await Live.run { live in
            try await live.declare("a", "/mute", headers("file: late"))
            #expect(await eventually { live.server.status("a")?.phase == .stalled })
            let status = try #require(live.server.status("a"))
            #expect(status.ready.reason == "SecretUnavailable")
            #expect(status.ready.message.contains("file:late"))
            #expect(
                status.conditions.first { $0.type == "Stalled" }?.status == .yes)
            #expect(live.feed.accepted == 0, "nothing is dialled without it")
            try live.secrets.write("here", to: "late")
            #expect(await live.server.ready("a"))
            #expect(live.feed.handshakes.first?.header("Authorization") == "here")
        }
    }

    @Test func aSecretIsReadAgainAtEachDial() async throws {
        try await Live.run { live in
            try live.secrets.write("old", to: "token")
            try await live.declare("a", "/mute", headers("file: token"))
            #expect(await live.server.ready("a"))
            try live.secrets.write("new", to: "token")
            live.feed.dropAll()
            #expect(await eventually { live.feed.handshakes.count == 2 })
            #expect(
                live.feed.handshakes.map { $0.header("Authorization") } == ["old", "new"])
        }
    }

    @Test func aSecretThatWouldEndTheHeaderEarlyIsRefused() async throws {
        try await Live.run(configure: { $0.environment = ["WSM_SECRET_T": "a\r\nX-Evil: 1"] }) {
            live in
            try await live.declare("a", "/mute", headers("env: WSM_SECRET_T"))
            #expect(await eventually { live.server.status("a")?.phase == .stalled })
            let message = live.server.status("a")?.ready.message ?? ""
            #expect(message.contains("Authorization"))
            #expect(!message.contains("Evil"))
            #expect(live.feed.accepted == 0)
        }
    }

    @Test func aRefusedSourceNamesTheFlag() async throws {
        try await Live.run(configure: { $0.environment = ["PATH": "/bin"] }) { live in
            try await live.declare("a", "/mute", headers("env: PATH"))
            #expect(await eventually { live.server.status("a")?.phase == .stalled })
            #expect(
                live.server.status("a")?.ready.message.contains("--secret-env-prefix") == true)
        }
    }
}

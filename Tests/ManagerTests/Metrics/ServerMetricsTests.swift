import Foundation
import ManagerAPI
import ManagerCore
import TestKit
import Testing

@testable import Manager

/// The samples of a page of metrics, by name and labels.
struct ParsedMetrics {
    var samples: [String: Double] = [:]
    /// In the order of the page.
    var families: [String] = []
    var types: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE ") {
                families.append(String(words[2]))
                types[String(words[2])] = String(words[3])
            } else if !line.hasPrefix("#") {
                let key = words.dropLast().joined(separator: " ")
                #expect(samples[key] == nil, "\(key) twice")
                guard let value = Double(String(words[words.count - 1])) else {
                    Issue.record("no number: \(line)")
                    continue
                }
                samples[key] = value
            }
        }
    }

    subscript(key: String) -> Double? { samples[key] }

    /// Values of one label of a family, in no order.
    func values(of label: String, in family: String) -> Set<String> {
        var values: Set<String> = []
        for key in samples.keys where key.hasPrefix(family + "{") {
            guard let start = key.range(of: "\(label)=\"") else { continue }
            values.insert(String(key[start.upperBound...].prefix { $0 != "\"" }))
        }
        return values
    }
}

struct ServerMetricsTests {
    private func metrics(_ server: RunningServer) -> ParsedMetrics {
        ParsedMetrics(server.server.metrics.render())
    }

    @Test func everySeriesIsThereAtZeroFromTheStart() async throws {
        let server = try await RunningServer.start()
        let page = metrics(server)
        #expect(page.families == MetricCatalogue.families.map(\.name))
        for family in MetricCatalogue.families {
            #expect(page.types[family.name] == family.kind.rawValue)
        }
        for phase in Phase.allCases {
            #expect(page["wsm_connections{state=\"\(phase.rawValue.lowercased())\"}"] == 0)
        }
        for reason in DropReason.allCases {
            #expect(page["wsm_dropped_total{reason=\"\(reason.rawValue)\"}"] == 0)
        }
        for outcome in DialOutcome.allCases {
            let (result, cause) = (outcome.values[0], outcome.values[1])
            #expect(page["wsm_dials_total{result=\"\(result)\",cause=\"\(cause)\"}"] == 0)
        }
        #expect(
            page.samples.keys.count { $0.hasPrefix("wsm_disconnects_total{") }
                == DisconnectKind.allCases.count)
        #expect(page["wsm_build_info{version=\"test\"}"] == 1)
        #expect((page["wsm_state_store_operations_total{op=\"write\",result=\"ok\"}"] ?? 0) > 0)
        #expect((page["process_resident_memory_bytes"] ?? 0) > 1_000_000)
        #expect((page["process_open_fds"] ?? 0) > 3)
        await server.stop()
    }

    @Test func trafficIsCountedAndStaysWhenItsConnectionIsDeleted() async throws {
        try await Live.run { live in
            try await live.declare("m", "/ticker?rate=200&symbol=hidden")
            #expect(await live.received("m", atLeast: 5))
            #expect(await live.server.ready("m"))
            let before = metrics(live.server)
            #expect(before["wsm_connections{state=\"connected\"}"] == 1)
            #expect(before["wsm_dials_total{result=\"success\",cause=\"none\"}"] == 1)
            #expect(before["wsm_dial_duration_seconds_count"] == 1)
            let texts = before["wsm_messages_received_total{kind=\"text\"}"] ?? 0
            #expect(texts >= 5)
            let text = live.server.server.metrics.render()
            #expect(!text.contains("hidden") && !text.contains("/ticker"))
            _ = try await live.server.orchestrator.delete(
                .with {
                    $0.name = "m"
                    $0.set = "default"
                })
            #expect(await eventually { live.server.observed("m") == nil })
            let after = metrics(live.server)
            for (key, value) in before.samples where key.contains("_total") {
                #expect((after[key] ?? -1) >= value, "\(key)")
            }
            #expect((after["wsm_messages_received_total{kind=\"text\"}"] ?? 0) >= texts)
            #expect(after["wsm_connections{state=\"connected\"}"] == 0)
            #expect(
                after["wsm_disconnects_total{cause=\"removed\",close_code=\"1000\"}"] == 1)
        }
    }

    @Test func aRefusedDialAndAFailedSendAreCounted() async throws {
        let server = try await RunningServer.start()
        var connect = Virtufin_ConnectRequest()
        connect.url = "ws://127.0.0.1:1/"
        let refused = connect
        await #expect(throws: (any Error).self) { try await server.manager.connect(refused) }
        try await server.apply(manifest("down", "url: ws://127.0.0.1:1/"))
        var send = Virtufin_SendRequest()
        send.id = "down"
        let lost = send
        #expect(await eventually { server.observed("down") != nil })
        await #expect(throws: (any Error).self) { try await server.manager.send(lost) }
        let page = metrics(server)
        #expect((page["wsm_dials_total{result=\"failure\",cause=\"transient\"}"] ?? 0) >= 1)
        #expect(page["wsm_sends_total{result=\"notConnected\"}"] == 1)
        await server.stop()
    }

    @Test func thePageOfMetricsIsMadeFromTheCatalogue() async throws {
        let server = try await RunningServer.start()
        let page = metrics(server)
        await server.stop()
        var values: [String: String] = [:]
        for family in MetricCatalogue.families {
            for label in family.labels {
                let known = page.values(of: label, in: family.name).sorted()
                #expect(!known.isEmpty, "\(family.name) \(label)")
                values["\(family.name).\(label)"] =
                    switch label {
                    case "version": "the version"
                    case "check": "the checks of [operations](operations.md#is-it-well)"
                    default: known.joined(separator: ", ")
                    }
            }
        }
        let url = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/metrics.md")
        let made = MetricCatalogue.markdown(values)
        if ProcessInfo.processInfo.environment["WSM_REWRITE"] == "1" {
            try Data(made.utf8).write(to: url)
        }
        #expect(String(decoding: try Data(contentsOf: url), as: UTF8.self) == made)
    }
}

import Foundation
import Testing

@testable import Spec

struct FieldTableTests {
    /// Path, effect of an edit and default, as the contract has them.
    static let contract: [(path: String, edit: EditEffect, standard: String?)] = [
        ("url", .reopen, nil), ("topic", .keep, nil), ("autoReconnect", .keep, "true"),
        ("headers", .reopen, "{}"), ("subprotocols", .reopen, "[]"),
        ("requireSubprotocol", .next, "false"), ("overlap", .next, "true"),
        ("onOpen", .reopen, "[]"),
        ("timeouts.dial", .next, "20s"), ("timeouts.resolve", .next, "5s"),
        ("timeouts.connect", .next, "5s"), ("timeouts.tls", .next, "10s"),
        ("timeouts.upgrade", .next, "10s"), ("timeouts.close", .keep, "5s"),
        ("keepalive.pingInterval", .keep, "20s"), ("keepalive.pongTimeout", .keep, "10s"),
        ("reconnect.base", .next, "1s"), ("reconnect.cap", .next, "30s"),
        ("reconnect.stableAfter", .next, "30s"), ("reconnect.maxAttempts", .next, "0"),
        ("maxMessageSize", .keep, "1MiB"), ("buffer.messages", .keep, "10000"),
        ("buffer.bytes", .keep, "8MiB"), ("buffer.overflow", .keep, "block"),
        ("buffer.spill.bytes", .keep, "1GiB"), ("buffer.spill.maxAge", .keep, "24h"),
        ("publish.data", .keep, "auto"), ("publish.order", .keep, "strict"),
        ("publish.batch", .keep, "none"), ("publish.batchMessages", .keep, "500"),
        ("publish.batchBytes", .keep, "256KiB"), ("publish.batchDelay", .keep, "5ms"),
        ("publish.attributes", .keep, "cloudevents"), ("correlation.mode", .keep, "auto"),
        ("correlation.field", .keep, "id"), ("correlation.match", .keep, nil),
        ("correlation.timeout", .keep, "10s"), ("correlation.maxPending", .keep, "1024"),
        ("tls.ca", .reopen, nil), ("tls.cert", .reopen, nil), ("tls.key", .reopen, nil),
        ("tls.serverName", .reopen, nil), ("tls.minVersion", .reopen, "1.2"),
        ("tls.insecureSkipVerify", .reopen, "false"),
        ("compression.mode", .reopen, "off"),
        ("compression.serverContextTakeover", .reopen, "true"),
        ("compression.clientContextTakeover", .reopen, "false"),
        ("compression.serverMaxWindowBits", .reopen, "15"),
        ("compression.clientMaxWindowBits", .reopen, "15"),
        ("compression.threshold", .keep, "1KiB"),
    ]

    @Test func hasExactlyTheFieldsOfTheContract() {
        #expect(FieldTable.fields.map(\.path) == Self.contract.map(\.path))
        #expect(FieldTable.fields.map(\.edit) == Self.contract.map(\.edit))
    }

    @Test func defaultsAreThoseOfTheContract() throws {
        let spec = try #require(compile(connectionYAML("  url: wss://a.example/")).spec)
        for (field, row) in zip(FieldTable.fields, Self.contract) where row.path != "url" {
            #expect(field.rendered(spec) == row.standard, "\(row.path)")
        }
    }

    @Test func effectsHaveTheirWords() {
        #expect(EditEffect.allCases.map(\.word) == ["keep", "next", "reopen", "close"])
        #expect(EditEffect.keep < .next && .next < .reopen && .reopen < .close)
    }

    /// Path; values at both ends of the range; values just outside.
    static let ranges: [(path: String, inside: [String], outside: [String])] = [
        ("timeouts.dial", ["100ms", "5m"], ["99ms", "5m1ms", "0s"]),
        ("timeouts.resolve", ["50ms", "5m"], ["49ms", "301s", "0s"]),
        ("timeouts.connect", ["50ms", "5m"], ["49ms", "301s"]),
        ("timeouts.tls", ["50ms", "5m"], ["49ms", "301s"]),
        ("timeouts.upgrade", ["50ms", "5m"], ["49ms", "301s"]),
        ("timeouts.close", ["50ms", "1m"], ["49ms", "61s"]),
        ("keepalive.pingInterval", ["100ms", "1h", "0s"], ["99ms", "1h1ms", "1ms"]),
        ("keepalive.pongTimeout", ["100ms", "10m"], ["99ms", "601s", "0s"]),
        ("reconnect.base", ["10ms", "1h"], ["9ms", "1h1ms", "0s"]),
        ("reconnect.cap", ["10ms", "24h"], ["9ms", "24h1ms", "0s"]),
        ("reconnect.stableAfter", ["0s", "24h"], ["24h1ms"]),
        ("reconnect.maxAttempts", ["0", "1000000"], ["-1", "1000001"]),
        ("maxMessageSize", ["1B", "256MiB"], ["0B", "268435457B"]),
        ("buffer.messages", ["1", "1000000"], ["0", "1000001"]),
        ("buffer.bytes", ["1MiB", "1GiB"], ["1048575B", "1073741825B"]),
        ("correlation.timeout", ["1ms", "10m"], ["0s", "601s", "0.5ms"]),
        ("correlation.maxPending", ["1", "100000"], ["0", "100001"]),
        ("topic", ["a", String(repeating: "é", count: 256)], [String(repeating: "a", count: 257)]),
        ("buffer.overflow", ["block", "dropOldest", "dropNewest", "spill"], ["disk", "Block"]),
        ("publish.data", ["auto", "json", "string", "base64"], ["xml"]),
        ("publish.order", ["strict", "none"], ["loose"]),
        ("publish.batch", ["none", "array"], ["object"]),
        ("publish.attributes", ["cloudevents", "upstream"], ["none"]),
        ("correlation.mode", ["auto", "jsonField", "envelope", "prefix", "next"], ["none"]),
        ("tls.minVersion", ["'1.2'", "'1.3'"], ["'1.1'", "1.2"]),
        ("autoReconnect", ["true", "false"], ["yes", "True", "'true'"]),
        ("requireSubprotocol", ["true", "false"], ["no"]),
        ("overlap", ["true", "false"], ["allow", "off"]),
        ("tls.insecureSkipVerify", ["true", "false"], ["on"]),
        ("tls.serverName", ["a.example"], ["1.2.3.4", "'a b'"]),
        ("compression.mode", ["offer", "require", "off"], ["on", "true"]),
        ("compression.threshold", ["0B", "1MiB"], ["1048577B", "1024"]),
        ("correlation.field", ["a", "$.a.b", "'a[0].b'"], ["''", "a..b", "$", "'a[x]'"]),
    ]

    @Test(arguments: ranges.indices)
    func acceptsBothEndsOfARangeAndNothingBeyond(_ index: Int) throws {
        let row = Self.ranges[index]
        for value in row.inside {
            let compilation = compile(manifest(row.path, value))
            #expect(!compilation.hasErrors, "\(row.path): \(value): \(compilation.lines)")
            let spec = try #require(compilation.spec)
            let field = try #require(FieldTable.fields.first { $0.path == row.path })
            let text = value.trimmingCharacters(in: CharacterSet(charactersIn: "'"))
            let rendered = try #require(field.rendered(spec))
            #expect(rendered == text || isSameQuantity(rendered, text), "\(row.path): \(rendered)")
        }
        for value in row.outside {
            let compilation = compile(manifest(row.path, value))
            #expect(compilation.diagnostics.count == 1, "\(row.path): \(value)")
            #expect(compilation.diagnostics.first?.path == "spec.\(row.path)")
        }
    }

    private func isSameQuantity(_ left: String, _ right: String) -> Bool {
        if let a = try? DurationText.parse(left), let b = try? DurationText.parse(right) {
            return a == b
        }
        if let a = try? SizeText.parse(left), let b = try? SizeText.parse(right) { return a == b }
        return false
    }

    private func manifest(_ path: String, _ value: String) -> String {
        let keys = path.split(separator: ".")
        let entry =
            keys.count == 1 ? "  \(path): \(value)" : "  \(keys[0]): {\(keys[1]): \(value)}"
        return connectionYAML("  url: wss://a.example/\n" + entry)
    }

    @Test func referencePageIsUpToDate() throws {
        let page = FieldTable.markdown()
        let url = Fixtures.project.appending(path: "docs/manifest.md")
        #expect(try Fixtures.expected(url, actual: page) == page)
    }

    @Test func everyFieldHasASentence() {
        for field in FieldTable.fields {
            #expect(field.summary.hasSuffix("."), "\(field.path)")
            #expect(!field.typeName.isEmpty && !field.defaultText.isEmpty)
            #expect(!field.rangeText.isEmpty, "\(field.path)")
        }
    }
}

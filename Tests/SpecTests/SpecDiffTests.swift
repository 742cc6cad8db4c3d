import Testing

@testable import Spec

struct SpecDiffTests {
    /// For each field an edit: path, manifest before, manifest after, and what is shown.
    static let edits: [(path: String, before: String, after: String, shown: (String?, String?))] = [
        ("url", "", "  url: wss://b.example/", ("wss://a.example/", "wss://b.example/")),
        ("topic", "", "  topic: t", (nil, "t")),
        ("autoReconnect", "", "  autoReconnect: false", ("true", "false")),
        (
            "headers", "", "  headers: {A: {valueFrom: {env: X}}}",
            ("{}", #"{"A":{"valueFrom":{"env":"X"}}}"#)
        ),
        ("subprotocols", "", "  subprotocols: [b, a]", ("[]", #"["b","a"]"#)),
        ("onOpen", "", "  onOpen: [{text: hi}]", ("[]", #"[{"text":"hi"}]"#)),
        ("timeouts.dial", "", "  timeouts: {dial: 30s}", ("20s", "30s")),
        ("timeouts.resolve", "", "  timeouts: {resolve: 6s}", ("5s", "6s")),
        ("timeouts.connect", "", "  timeouts: {connect: 6s}", ("5s", "6s")),
        ("timeouts.tls", "", "  timeouts: {tls: 6s}", ("10s", "6s")),
        ("timeouts.upgrade", "", "  timeouts: {upgrade: 1500ms}", ("10s", "1.5s")),
        ("timeouts.close", "", "  timeouts: {close: 6s}", ("5s", "6s")),
        ("keepalive.pingInterval", "", "  keepalive: {pingInterval: 0s}", ("20s", "0s")),
        ("keepalive.pongTimeout", "", "  keepalive: {pongTimeout: 5m}", ("10s", "5m")),
        ("reconnect.base", "", "  reconnect: {base: 2s}", ("1s", "2s")),
        ("reconnect.cap", "", "  reconnect: {cap: 2h}", ("30s", "2h")),
        ("reconnect.stableAfter", "", "  reconnect: {stableAfter: 2s}", ("30s", "2s")),
        ("reconnect.maxAttempts", "", "  reconnect: {maxAttempts: 7}", ("0", "7")),
        ("maxMessageSize", "", "  maxMessageSize: 2MiB", ("1MiB", "2MiB")),
        ("buffer.messages", "", "  buffer: {messages: 5}", ("10000", "5")),
        ("buffer.bytes", "", "  buffer: {bytes: 4MiB}", ("8MiB", "4MiB")),
        ("buffer.overflow", "", "  buffer: {overflow: dropNewest}", ("block", "dropNewest")),
        ("publish.data", "", "  publish: {data: string}", ("auto", "string")),
        ("correlation.mode", "", "  correlation: {mode: prefix}", ("auto", "prefix")),
        ("correlation.field", "", "  correlation: {field: rid}", ("id", "rid")),
        (
            "correlation.match", "  correlation: {mode: next}",
            "  correlation: {mode: next, match: {text: ok}}", (nil, #"{"text":"ok"}"#)
        ),
        ("correlation.timeout", "", "  correlation: {timeout: 1s}", ("10s", "1s")),
        ("correlation.maxPending", "", "  correlation: {maxPending: 1}", ("1024", "1")),
        (
            "tls.ca", "", "  tls: {ca: {valueFrom: {file: ca.pem}}}",
            (nil, #"{"valueFrom":{"file":"ca.pem"}}"#)
        ),
        ("tls.serverName", "", "  tls: {serverName: b.example}", (nil, "b.example")),
        ("tls.minVersion", "", "  tls: {minVersion: '1.3'}", ("1.2", "1.3")),
        ("tls.insecureSkipVerify", "", "  tls: {insecureSkipVerify: true}", ("false", "true")),
        ("overlap", "", "  overlap: false", ("true", "false")),
        ("compression.mode", "", "  compression: {mode: offer}", ("off", "offer")),
        (
            "compression.serverContextTakeover", "  compression: {mode: offer}",
            "  compression: {mode: offer, serverContextTakeover: false}", ("true", "false")
        ),
        (
            "compression.clientContextTakeover", "  compression: {mode: offer}",
            "  compression: {mode: offer, clientContextTakeover: true}", ("false", "true")
        ),
        (
            "compression.serverMaxWindowBits", "  compression: {mode: offer}",
            "  compression: {mode: offer, serverMaxWindowBits: 10}", ("15", "10")
        ),
        (
            "compression.clientMaxWindowBits", "  compression: {mode: offer}",
            "  compression: {mode: offer, clientMaxWindowBits: 9}", ("15", "9")
        ),
        (
            "compression.threshold", "  compression: {mode: offer}",
            "  compression: {mode: offer, threshold: 0B}", ("1KiB", "0B")
        ),
        (
            "requireSubprotocol", "  subprotocols: [a]",
            "  subprotocols: [a]\n  requireSubprotocol: true", ("false", "true")
        ),
    ]

    @Test(arguments: edits.indices)
    func tellsExactlyTheFieldThatChanged(_ index: Int) throws {
        let edit = Self.edits[index]
        let old = try spec(edit.before)
        let new = try spec(edit.after)
        let effect = try #require(FieldTable.fields.first { $0.path == edit.path }).edit
        let change = FieldChange(
            path: edit.path, old: edit.shown.0, new: edit.shown.1, effect: effect)
        #expect(SpecDiff.changes(from: old, to: new) == [change])
        #expect(
            SpecDiff.changes(from: new, to: old) == [
                FieldChange(path: edit.path, old: change.new, new: change.old, effect: effect)
            ])
    }

    @Test func certificateAndKeyChangeTogether() throws {
        let changes = SpecDiff.changes(
            from: try spec(""),
            to: try spec("  tls: {cert: {valueFrom: {file: c}}, key: {valueFrom: {file: k}}}"))
        #expect(changes.map(\.path) == ["tls.cert", "tls.key"])
        #expect(changes.map(\.effect) == [.reopen, .reopen])
    }

    @Test func strongestEffectWins() throws {
        let old = try spec("")
        #expect(SpecDiff.effect(of: []) == .keep)
        let two = SpecDiff.changes(
            from: old, to: try spec("  topic: t\n  reconnect: {maxAttempts: 1}"))
        #expect(SpecDiff.effect(of: two) == .next)
        let three = SpecDiff.changes(
            from: old,
            to: try spec("  topic: t\n  reconnect: {maxAttempts: 1}\n  subprotocols: [a]"))
        #expect(SpecDiff.effect(of: three) == .reopen)
        #expect(three.map(\.path) == ["topic", "subprotocols", "reconnect.maxAttempts"])
    }

    @Test func anotherSpellingIsNoChange() throws {
        let changes = SpecDiff.changes(
            from: try spec("  headers: {A: a, B: b}\n  keepalive: {pingInterval: 60s}"),
            to: try spec(
                """
                  keepalive: {pingInterval: 1m, pongTimeout: 10000ms}
                  headers: {"B": 'b', A: a}
                  buffer: {bytes: 8192KiB}
                """))
        #expect(changes.isEmpty)
    }

    private func spec(_ lines: String) throws -> ConnectionSpec {
        let url = lines.contains("  url:") ? "" : "  url: wss://a.example/\n"
        let compilation = compile(connectionYAML(url + lines))
        return try #require(compilation.spec, "\(compilation.lines)")
    }
}

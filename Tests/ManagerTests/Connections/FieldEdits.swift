import ManagerAPI
import Spec

/// For each field of the table: a manifest, and an edit of that field alone.
///
/// Values are JSON, keyed by the field's path.
struct FieldEdit {
    /// Beside what the edit needs; `nil` leaves the field to its default.
    var before: [String: String] = [:]
    var after: String
    /// With `wss` upstream.
    var isSecure = false

    /// - Parameters:
    ///   - ca, otherCA: PEM; files `client.pem`, `client.key` and copies of them stand in
    ///     `--secrets-dir`.
    static func all(ca: String, otherCA: String) -> [String: FieldEdit] {
        var edits: [String: FieldEdit] = [
            "url": FieldEdit(after: #""<url>&edited=1""#),
            "topic": FieldEdit(after: #""other""#),
            "autoReconnect": FieldEdit(after: "false"),
            "headers": FieldEdit(after: #"{"X-Test": "1"}"#),
            "subprotocols": FieldEdit(after: #"["v1"]"#),
            "requireSubprotocol": FieldEdit(before: ["subprotocols": #"["v1"]"#], after: "true"),
            "overlap": FieldEdit(after: "false"),
            "onOpen": FieldEdit(after: #"[{"text": "hello"}]"#),
            "maxMessageSize": FieldEdit(after: #""2MiB""#),
            "publish.data": FieldEdit(after: #""string""#),
            "publish.batch": FieldEdit(after: #""array""#),
            "compression.mode": FieldEdit(after: #""offer""#),
        ]
        for (path, value) in [
            "timeouts.dial": "15s", "timeouts.resolve": "4s", "timeouts.connect": "4s",
            "timeouts.tls": "9s", "timeouts.upgrade": "9s", "timeouts.close": "4s",
            "keepalive.pingInterval": "1s", "keepalive.pongTimeout": "9s",
            "reconnect.base": "20ms", "reconnect.cap": "90ms", "reconnect.stableAfter": "10s",
            "buffer.bytes": "4MiB", "buffer.overflow": "dropNewest", "correlation.timeout": "3s",
            "correlation.field": "meta.id", "correlation.mode": "jsonField",
            "buffer.spill.bytes": "2GiB", "buffer.spill.maxAge": "1h", "publish.order": "none",
            "publish.batchBytes": "64KiB", "publish.batchDelay": "9ms",
            "publish.attributes": "upstream",
        ] {
            edits[path] = FieldEdit(after: "\"\(value)\"")
        }
        for (path, value) in [
            "reconnect.maxAttempts": 5, "buffer.messages": 500, "correlation.maxPending": 7,
            "publish.batchMessages": 9,
        ] {
            edits[path] = FieldEdit(after: "\(value)")
        }
        edits["correlation.match"] = FieldEdit(
            before: ["correlation.mode": #""next""#], after: #"{"prefix": "re:"}"#)
        for (path, value) in [
            "compression.serverContextTakeover": "false",
            "compression.clientContextTakeover": "true",
            "compression.serverMaxWindowBits": "12", "compression.clientMaxWindowBits": "12",
            "compression.threshold": #""64B""#,
        ] {
            edits[path] = FieldEdit(before: ["compression.mode": #""offer""#], after: value)
        }
        edits.merge(tls(ca: ca, otherCA: otherCA)) { $1 }
        return edits
    }

    private static func tls(ca: String, otherCA: String) -> [String: FieldEdit] {
        func file(_ name: String) -> String { #"{"valueFrom": {"file": "\#(name)"}}"# }
        let ours = ["tls.ca": jsonText(ca)]
        let client = ours.merging(["tls.cert": file("client.pem"), "tls.key": file("client.key")]) {
            $1
        }
        return [
            "tls.ca": FieldEdit(before: ours, after: jsonText(ca + otherCA), isSecure: true),
            "tls.cert": FieldEdit(before: client, after: file("client-2.pem"), isSecure: true),
            "tls.key": FieldEdit(before: client, after: file("client-2.key"), isSecure: true),
            "tls.serverName": FieldEdit(before: ours, after: #""feed.test""#, isSecure: true),
            "tls.minVersion": FieldEdit(before: ours, after: #""1.3""#, isSecure: true),
            "tls.insecureSkipVerify": FieldEdit(before: ours, after: "true", isSecure: true),
        ]
    }

    private static func jsonText(_ text: String) -> String {
        String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
    }

    /// A document with these values in its `spec`.
    static func document(_ name: String, _ values: [String: String]) throws -> [UInt8] {
        var fields: [JSONValue.Member] = []
        for (path, text) in values.sorted(by: { $0.key < $1.key }) {
            let value = try JSONValue.parse(Array(text.utf8))
            Self.put(value, at: path.split(separator: ".").map(String.init)[...], in: &fields)
        }
        return JSONValue.object([
            .init("apiVersion", .string(ManifestVersion.v1)),
            .init("kind", .string("Connection")),
            .init("metadata", .object([.init("name", .string(name))])),
            .init("spec", .object(fields)),
        ]).serialized()
    }

    private static func put(
        _ value: JSONValue, at path: ArraySlice<String>, in members: inout [JSONValue.Member]
    ) {
        guard let key = path.first else { return }
        guard path.count > 1 else { return members.append(.init(key, value)) }
        var inner: [JSONValue.Member] = []
        let place = members.firstIndex { $0.key == key }
        if let place, case .object(let found) = members[place].value { inner = found }
        put(value, at: path.dropFirst(), in: &inner)
        if let place {
            members[place].value = .object(inner)
        } else {
            members.append(.init(key, .object(inner)))
        }
    }
}

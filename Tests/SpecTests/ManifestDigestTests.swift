import Testing

@testable import Spec

struct ManifestDigestTests {
    @Test func spellingDoesNotMatter() throws {
        let plain = """
            apiVersion: wsm.virtufin.com/v1
            kind: Connection
            metadata: {name: a, labels: {x: "1", y: "2"}}
            spec: {url: wss://a.example/, keepalive: {pingInterval: 90s}, maxMessageSize: 1MiB}
            """
        let other = """
            {"kind": "Connection", "spec": {"maxMessageSize": "1024Ki", "autoReconnect": true,
             "keepalive": {"pongTimeout": "10s", "pingInterval": "1m30s"}, "url": "wss://a.example/"},
             "metadata": {"labels": {"y": "2", "x": "1"}, "annotations": {}, "name": "a"},
             "apiVersion": "wsm.virtufin.com/v1"}
            """
        let digests = [plain, other].map { compile($0).objects.first?.digest }
        #expect(digests[0] != nil && digests[0] == digests[1])
    }

    @Test(arguments: [
        "metadata: {name: b}\nspec: {url: ws://a/}",
        "metadata: {name: a, labels: {a: b}}\nspec: {url: ws://a/}",
        "metadata: {name: a, annotations: {a: b}}\nspec: {url: ws://a/}",
        "metadata: {name: a}\nspec: {url: ws://b/}",
        "metadata: {name: a}\nspec: {url: ws://a/, topic: t}",
        "metadata: {name: a}\nspec: {url: ws://a/, correlation: {mode: next, match: {text: a}}}",
    ])
    func meaningDoes(_ body: String) throws {
        let head = "apiVersion: wsm.virtufin.com/v1\nkind: Connection\n"
        let base = try #require(
            compile(head + "metadata: {name: a}\nspec: {url: ws://a/}").objects.first)
        let other = try #require(compile(head + body).objects.first)
        #expect(base.digest != other.digest)
        #expect(base.digest.count == 64)
    }

    @Test func whatTheServerWritesIsLeftOut() throws {
        let head = "apiVersion: wsm.virtufin.com/v1\nkind: Connection\n"
        let bare = compile(head + "metadata: {name: a}\nspec: {url: ws://a/}")
        let full = compile(
            head + """
                metadata: {name: a, uid: x, resourceVersion: "3",
                  annotations: {wsm.virtufin.com/connection-set: s}}
                spec: {url: ws://a/}
                status: {}
                """)
        #expect(bare.objects.count == 1 && full.objects.count == 1)
        #expect(bare.objects.first?.digest == full.objects.first?.digest)
        #expect(full.diagnostics.count == 1)
    }

    @Test func orderOfRowsHasNoMeaning() throws {
        func set(_ rows: String) -> String {
            """
            apiVersion: wsm.virtufin.com/v1
            kind: ConnectionSet
            metadata: {name: s}
            spec:
              \(rows)
              name: "x-{{a}}"
              template: {spec: {url: "ws://h{{a}}/"}}
            """
        }
        let list = try #require(compile(set("list: [{a: '1'}, {a: '2'}]")).objects.first)
        let turned = try #require(compile(set("list: [{a: 2}, {a: 1}]")).objects.first)
        let matrix = try #require(compile(set("matrix: {a: [1, 2]}")).objects.first)
        let less = try #require(compile(set("list: [{a: 1}]")).objects.first)
        #expect(list.digest == turned.digest)
        #expect(list.digest == matrix.digest)
        #expect(list.digest != less.digest)
    }

    @Test func memberHasTheDigestOfTheSameConnection() throws {
        let set = compile(
            """
            apiVersion: wsm.virtufin.com/v1
            kind: ConnectionSet
            metadata: {name: s}
            spec: {list: [{a: b}], name: "{{a}}", template: {spec: {url: "ws://{{a}}/"}}}
            """)
        let alone = compile(connectionYAML("  url: ws://b/", name: "b"))
        let member = try #require(set.objects.first?.connections.first)
        #expect(ManifestDigest.of(member) == alone.objects.first?.digest)
    }
}

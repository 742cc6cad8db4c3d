import Testing

@testable import Spec

struct EndpointTests {
    static let urls: [(url: String, authority: String, hostPort: String, target: String)] = [
        ("ws://a.example", "a.example", "a.example:80", "/"),
        ("wss://a.example", "a.example", "a.example:443", "/"),
        ("WSS://A.Example:443/Path", "a.example", "a.example:443", "/Path"),
        ("ws://a.example:443/", "a.example:443", "a.example:443", "/"),
        ("ws://a.example:8080?x=/y", "a.example:8080", "a.example:8080", "/?x=/y"),
        ("ws://127.0.0.1:65535/p?q=1", "127.0.0.1:65535", "127.0.0.1:65535", "/p?q=1"),
        ("ws://[::1]/", "[::1]", "[::1]:80", "/"),
        ("wss://[2001:DB8::A]:1/x", "[2001:db8::a]:1", "[2001:db8::a]:1", "/x"),
        ("ws://[::ffff:1.2.3.4]/", "[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]:80", "/"),
        ("ws://host_name-1.x./é?ü", "host_name-1.x.", "host_name-1.x.:80", "/%C3%A9?%C3%BC"),
        ("ws://a/{x}|y", "a", "a:80", "/{x}|y"),
        ("ws://a/p@q:r", "a", "a:80", "/p@q:r"),
    ]

    @Test(arguments: urls.indices)
    func takesAURLApart(_ index: Int) throws {
        let row = Self.urls[index]
        let endpoint = try Endpoint.parse(row.url)
        #expect(endpoint.authority == row.authority)
        #expect(endpoint.hostPort == row.hostPort)
        #expect(endpoint.requestTarget == row.target)
        #expect(endpoint.isSecure == row.url.lowercased().hasPrefix("wss"))
        #expect(!endpoint.host.contains("["))
    }

    @Test func redactedFormHasNoQuery() throws {
        #expect(
            try Endpoint.parse("wss://a.example:443/p/q?token=secret").redacted
                == "wss://a.example/p/q")
        #expect(try Endpoint.parse("ws://[::1]:81?token=x").redacted == "ws://[::1]:81/")
    }

    @Test(arguments: [
        "", "ws", "ws:", "ws:/", "ws://", "ws:///", "wsx://a", "http://a", "ws://a:", "ws://a:0",
        "ws://a:65536", "ws://a:+1", "ws://a:1:2", "ws://:80", "ws://u@a", "ws://u:p@a/",
        "ws://a#f", "ws://a/ b", "ws://a/\tb", "ws://a\u{85}", "ws://a\u{3000}", "ws://[]",
        "ws://[1]", "ws://[::1", "ws://[::1]x", "ws://[::1]:", "ws://[1:2:3:4:5:6:7]",
        "ws://[1:2:3:4:5:6:7:8:9]", "ws://[::1::2]", "ws://[12345::]", "ws://[::1.2.3]",
        "ws://[fe80::1%25eth0]", "ws://1.2.3", "ws://256.1.1.1", "ws://1.2.3.04", "ws://a..b",
        "ws://.a", "ws://-a", "ws://a-", "ws://a b", "ws://a\\b", "ws://é",
        "ws://" + String(repeating: "a", count: 64),
        "ws://a/" + String(repeating: "b", count: 8186),
    ])
    func refuses(_ url: String) {
        #expect(throws: EndpointError.self) { try Endpoint.parse(url) }
    }

    @Test func longestURLIsAccepted() throws {
        let url = "ws://a/" + String(repeating: "b", count: 8185)
        #expect(url.utf8.count == 8192)
        #expect(try Endpoint.parse(url).requestTarget.utf8.count == 8186)
    }

    @Test func errorsNeverShowTheURL() {
        for url in ["ws://user:hunter2@a/", "ws://a/?token=hunter2 x", "hunter2"] {
            do throws(EndpointError) {
                _ = try Endpoint.parse(url)
                Issue.record("\(url) was accepted")
            } catch {
                #expect(!error.message.contains("hunter2"))
            }
        }
    }
}

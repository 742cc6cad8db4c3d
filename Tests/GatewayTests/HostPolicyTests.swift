import Testing

@testable import Gateway

struct HostPolicyTests {
    private let loopback = HostPolicy(
        bind: "127.0.0.1", hasAuthentication: false, allowedOrigins: [])
    private let listed = HostPolicy(
        bind: "127.0.0.1", hasAuthentication: false,
        allowedOrigins: ["https://wsm.example.com", "other.example"])
    private let open = HostPolicy(bind: "0.0.0.0", hasAuthentication: false, allowedOrigins: [])
    private let known = HostPolicy(bind: "10.0.0.5", hasAuthentication: true, allowedOrigins: [])

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:5001", "localhost", "LOCALHOST:8080", "[::1]", "[::1]:5001",
        "localhost.",
    ])
    func ownNamesAreAnswered(_ host: String) {
        #expect(loopback.refusal(host: host, origin: nil) == nil)
    }

    @Test(arguments: [
        "evil.example", "evil.example:5001", "localhost.evil.example", "127.0.0.1.evil.example",
        "10.0.0.1", "169.254.169.254", "[::2]", "localhost:99999", "localhost:x", "[::1", "[::1]x",
        "a b", "user@localhost", "localhost/", "127.1", "2130706433", "[::1%25lo]",
    ])
    func foreignNamesAreNot(_ host: String) {
        #expect(loopback.refusal(host: host, origin: nil) == .host(host))
    }

    @Test func aMissingHostIsToldApart() {
        #expect(loopback.refusal(host: nil, origin: nil) == .missingHost)
        #expect(loopback.refusal(host: "", origin: nil) == .missingHost)
    }

    @Test(arguments: [
        "http://evil.example", "null", "https://localhost:5001.evil.example", "http://127.0.0.1:80",
        "file://", "", "http://127.0.0.1:5001/", "ftp://127.0.0.1:5001",
    ])
    func foreignOriginsAreRefused(_ origin: String) {
        #expect(loopback.refusal(host: "127.0.0.1:5001", origin: origin) == .origin(origin))
    }

    @Test func thePageFromHereMayCall() {
        let refusal = loopback.refusal(host: "localhost:5001", origin: "http://localhost:5001")
        #expect(refusal == nil)
        #expect(!loopback.isAllowed(origin: "http://localhost:5001"))
    }

    @Test func whatIsListedMayCallAndRead() {
        let host = "127.0.0.1:5001"
        for origin in [
            "https://wsm.example.com", "https://WSM.example.com:443", "http://other.example",
            "https://other.example:8443",
        ] {
            #expect(listed.refusal(host: host, origin: origin) == nil)
            #expect(listed.isAllowed(origin: origin))
        }
        for origin in [
            "http://wsm.example.com", "https://wsm.example.com:444", "https://a.other.example",
        ] {
            #expect(listed.refusal(host: host, origin: origin) == .origin(origin))
            #expect(!listed.isAllowed(origin: origin))
        }
        #expect(listed.refusal(host: "wsm.example.com", origin: nil) == nil)
        #expect(listed.refusal(host: "third.example", origin: nil) == .host("third.example"))
    }

    /// An address cannot be made to mean another host; a name can.
    @Test func beyondLoopbackWithoutAuthenticationOnlyAddressesAreAnswered() {
        #expect(open.refusal(host: "10.0.0.5:5001", origin: nil) == nil)
        #expect(open.refusal(host: "[fd00::5]:5001", origin: nil) == nil)
        #expect(open.refusal(host: "evil.example", origin: nil) == .host("evil.example"))
    }

    @Test func beyondLoopbackWithAuthenticationAnyNameIsAnsweredUnlessListed() {
        #expect(known.refusal(host: "wsm.internal", origin: nil) == nil)
        #expect(
            known.refusal(host: "wsm.internal", origin: "https://evil.example")
                == .origin("https://evil.example"))
        let strict = HostPolicy(
            bind: "10.0.0.5", hasAuthentication: true, allowedOrigins: ["https://wsm.internal"])
        #expect(strict.refusal(host: "wsm.internal", origin: nil) == nil)
        #expect(strict.refusal(host: "10.0.0.5", origin: nil) == nil)
        #expect(strict.refusal(host: "evil.example", origin: nil) == .host("evil.example"))
    }

    @Test(arguments: ["*", "https://*", "https://a b", "https://", "http://a/path", ""])
    func anEntryThatIsNoOriginStopsTheStart(_ entry: String) {
        var configuration = GatewayConfiguration(host: "127.0.0.1", port: 0)
        configuration.allowedOrigins = [entry]
        let invalid = #expect(throws: GatewayConfiguration.Invalid.self) {
            try configuration.validate()
        }
        #expect(invalid?.description.hasPrefix("--allowed-origins: ") == true)
    }
}

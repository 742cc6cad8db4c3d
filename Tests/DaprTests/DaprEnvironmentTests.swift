import Testing

@testable import Dapr

struct DaprEnvironmentTests {
    @Test func withoutVariablesBothPortsAreDaprsDefaults() throws {
        let environment = try DaprEnvironment(variables: ["DAPR_GRPC_PORT": ""])
        #expect(environment.grpc == .loopback(port: 50_001))
        #expect(environment.http == .loopback(port: 3_500))
        #expect(environment.apiToken == nil)
    }

    @Test func whatTheProgramWasToldWinsOverPortsOnly() throws {
        let variables = ["DAPR_GRPC_PORT": "1", "DAPR_HTTP_PORT": "2"]
        let told = try DaprEnvironment(variables: variables, grpcPort: 7)
        #expect(told.grpc == .loopback(port: 7))
        #expect(told.http == .loopback(port: 2))
        let whole = try DaprEnvironment(
            variables: ["DAPR_GRPC_ENDPOINT": "dapr:9", "DAPR_API_TOKEN": "t"], grpcPort: 7)
        #expect(whole.grpc == DaprEndpoint(place: .host("dapr", port: 9), usesTLS: false))
        #expect(whole.apiToken == "t")
    }

    @Test(arguments: [
        ("DAPR_GRPC_PORT", "0", "DAPR_GRPC_PORT is 0: it must be a port, 1 to 65535"),
        ("DAPR_HTTP_PORT", "x", "DAPR_HTTP_PORT is x: it must be a port, 1 to 65535"),
        (
            "DAPR_HTTP_ENDPOINT", "ftp://a",
            "DAPR_HTTP_ENDPOINT is ftp://a: ftp is no scheme of an endpoint; use http, https, dns "
                + "or unix"
        ),
        ("DAPR_API_TOKEN", "a\nb", "DAPR_API_TOKEN holds what no header can carry"),
    ])
    func aVariableThatCannotBeUsedIsNamed(name: String, text: String, sentence: String) {
        #expect(throws: DaprEnvironment.Fault(description: sentence)) {
            _ = try DaprEnvironment(variables: [name: text])
        }
    }

    @Test(arguments: [
        ("dapr", "dapr:443", false),
        ("dapr:50001", "dapr:50001", false),
        ("http://dapr:50001/", "dapr:50001", false),
        ("https://dapr", "https://dapr:443", true),
        ("grpcs://dapr:5", "https://dapr:5", true),
        ("dns:dapr:5", "dapr:5", false),
        ("dns:///dapr:5", "dapr:5", false),
        ("dapr:5?tls=true", "https://dapr:5", true),
        ("https://dapr:5?tls=true", "https://dapr:5", true),
        ("[::1]:5", "[::1]:5", false),
        ("[::1]", "[::1]:443", false),
        ("unix:///run/dapr.sock", "unix:/run/dapr.sock", false),
        ("unix:run/dapr.sock", "unix:run/dapr.sock", false),
    ])
    func anEndpointIsReadInEveryFormOfTheSDKs(
        text: String, shown: String, usesTLS: Bool
    ) throws {
        let endpoint = try DaprEndpoint(text, plainPort: 443)
        #expect(endpoint.description == shown)
        #expect(endpoint.usesTLS == usesTLS)
    }

    @Test(arguments: [
        "", ":5", "a b:5", "a:", "a:0", "a:65536", "a:x", "http://", "a/b", "[::1", "[::1]x", "a?b",
        "unix:", "dns://8.8.8.8/a", "::1",
    ])
    func aTextThatIsNoEndpointIsRefused(text: String) {
        #expect(throws: DaprEndpoint.Malformed.self) {
            _ = try DaprEndpoint(text, plainPort: 80)
        }
    }
}

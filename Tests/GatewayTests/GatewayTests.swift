import GRPCCore
import NIOCore
import Synchronization
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(2)))
struct GatewayTests {
    private func withGateway(
        authorize: @escaping @Sendable (GatewayRequestFacts) async -> GatewayAdmission = { _ in
            .admitted(Metadata())
        },
        readiness: ReadinessReport = ReadinessReport(isReady: true, checks: []),
        configure: (inout GatewayConfiguration) -> Void = { _ in },
        _ body: (LiveGateway) async throws -> Void
    ) async throws {
        let live = try await LiveGateway.start(
            authorize: authorize, readiness: readiness, configure: configure)
        do {
            try await body(live)
        } catch {
            await live.stop()
            throw error
        }
        await live.stop()
    }

    @Test func aCallIsTranscodedBothWays() async throws {
        try await withGateway { live in
            let answer = try await live.request("GET /v1/connections/a%20b/tags/k")
            #expect(answer.status == 200)
            #expect(answer.fields["content-type"] == "application/json")
            #expect(answer.text == #"{"value":"a b/k for nobody"}"#)
        }
    }

    @Test func aFailureHasCodeMessageAndStatus() async throws {
        try await withGateway { live in
            let answer = try await live.request("GET /wsm/v1/Connection/x")
            #expect(answer.status == 404)
            #expect(
                answer.text
                    == #"{"code":"NOT_FOUND","message":"no such object","details":[]}"#)
            let wrong = try await live.request("GET /v1/connections?nope=1")
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("nope"))
        }
    }

    @Test(arguments: [
        ("GET /nothing", 404), ("PATCH /v1/connections", 405), ("POST /livez", 405),
        ("GET /%zz", 400), ("GET /virtufin.WebSocketManager/List", 405),
    ])
    func whatIsNotThereHasItsStatus(_ line: String, _ status: Int) async throws {
        try await withGateway { live in
            let answer = try await live.request(line)
            #expect(answer.status == status)
            #expect(answer.text.hasPrefix(#"{"code":""#))
            #expect((answer.fields["allow"] != nil) == (status == 405))
        }
    }

    @Test func bodiesAreJSONOfABoundedSizeOnly() async throws {
        try await withGateway { live in
            let body = Array(#"{"topic":"t"}"#.utf8)
            let line = "POST /v1/connections/a/publish"
            for type in ["", "text/plain", "application/xml", "application/json; charset=latin1"] {
                let answer = try await live.request(line, ["Content-Type": type], body: body)
                #expect(answer.status == 415)
            }
            for (text, part) in [
                ("{", "line 1"), (#"{"a":1,"a":2}"#, "twice"), ("\"\\ud800\"", ""),
            ] {
                let answer = try await live.json(line, text)
                #expect(answer.status == 400)
                #expect(answer.text.contains(part))
            }
            let large = [UInt8](repeating: 0x20, count: HTTPLimits.maxBodyBytes + 1)
            let answer = try await live.request(
                line, ["Content-Type": "application/json"], body: large)
            #expect(answer.status == 413)
            #expect(answer.text.contains("RESOURCE_EXHAUSTED"))
        }
    }

    @Test func anAnnouncedBodyThatIsTooLargeIsNotWaitedFor() async throws {
        try await withGateway { live in
            let answer = try await live.exchange(
                Array(
                    ("POST /v1/connect HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                        + "application/json\r\nContent-Length: 99999999999\r\n"
                        + "Expect: 100-continue\r\n\r\n").utf8))
            #expect(answer.status == 413)
        }
    }

    @Test func foreignHostsAndOriginsAreRefused() async throws {
        try await withGateway { live in
            let rebound = try await live.request("GET /livez", ["Host": "evil.example"])
            #expect(rebound.status == 403)
            // `Host` decides also where the target is in absolute form.
            let absolute = try await live.request(
                "GET http://localhost/livez", ["Host": "evil.example"])
            #expect(absolute.status == 403)
            let origin = try await live.request("GET /livez", ["Origin": "http://evil.example"])
            #expect(origin.status == 403)
            #expect(origin.fields["access-control-allow-origin"] == nil)
            let twice = try await live.exchange(
                Array(
                    "GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: b\r\nConnection: close\r\n\r\n"
                        .utf8))
            #expect(twice.status == 400)
        }
    }

    @Test func anAllowedOriginMayAskAndRead() async throws {
        try await withGateway(configure: { $0.allowedOrigins = ["https://ui.example"] }) { live in
            let asked = try await live.request(
                "OPTIONS /v1/connections",
                ["Origin": "https://ui.example", "Access-Control-Request-Method": "POST"])
            #expect(asked.status == 204)
            #expect(asked.fields["access-control-allow-origin"] == "https://ui.example")
            let answer = try await live.request("GET /livez", ["Origin": "https://ui.example"])
            #expect(answer.status == 200)
            #expect(answer.fields["access-control-allow-origin"] == "https://ui.example")
            #expect(answer.fields["vary"] == "Origin")
        }
    }

    @Test func accessIsAskedForEverythingButProbes() async throws {
        let asked = Mutex<[String]>([])
        try await withGateway(authorize: { facts in
            asked.withLock { $0.append(facts.method) }
            switch facts.authorization {
            case "Bearer good": return .admitted(["caller": "tester"])
            case nil: return .unauthenticated("a token is needed")
            default: return .permissionDenied("that token may not")
            }
        }) { live in
            for path in ["/livez", "/readyz", "/healthz", "/health", "/health/live"] {
                #expect(try await live.request("GET \(path)").status == 200)
            }
            #expect(asked.withLock { $0 }.isEmpty)
            for path in ["/", "/metrics", "/openapi.json", "/readyz?verbose"] {
                let answer = try await live.request("GET \(path)")
                #expect(answer.status == 401)
                #expect(answer.fields["www-authenticate"] == "Bearer")
            }
            let schema = try ProtoSchema.committed()
            for method in schema.methods {
                for rule in method.rules {
                    let path = rule.path.replacing("{", with: "").replacing("}", with: "")
                    #expect(try await live.request("\(rule.method) \(path)").status == 401)
                    let wrong = try await live.request(
                        "\(rule.method) \(path)", ["Authorization": "Bearer bad"])
                    #expect(wrong.status == 403)
                }
                let connect = try await live.json("POST /\(method.fullName)", "{}")
                #expect(connect.status == 401)
                #expect(asked.withLock { $0.contains(method.fullName) })
            }
            let answer = try await live.request(
                "GET /v1/connections/a/tags/k", ["Authorization": "Bearer good"])
            #expect(answer.text == #"{"value":"a/k for tester"}"#)
        }
    }

    @Test func metadataOfANetworkCallerGoesNowhere() async throws {
        try await withGateway { live in
            let answer = try await live.request(
                "GET /v1/connections/a/tags/k", ["caller": "admin", "wsm-gateway-call": "1"])
            #expect(answer.text == #"{"value":"a/k for nobody"}"#)
        }
    }

    @Test func readinessTellsMoreOnlyWhenAsked() async throws {
        let report = ReadinessReport(
            isReady: false,
            checks: [
                .init(name: "bus", isOK: true, reason: "Up", message: "", isAdvisory: false),
                .init(
                    name: "store", isOK: false, reason: "Full", message: "no space",
                    isAdvisory: false),
                .init(name: "x", isOK: false, reason: "Y", message: "z", isAdvisory: true),
            ])
        try await withGateway(readiness: report) { live in
            let short = try await live.request("GET /readyz")
            #expect(short.status == 503)
            #expect(short.text == "not ready\n")
            let long = try await live.request("GET /readyz?verbose")
            #expect(long.status == 503)
            #expect(
                long.text
                    == "[+]bus ok\n[-]store failed: Full: no space\n[!]x warning: Y: z\n"
                    + "readyz check failed\n")
        }
    }

    @Test func aCallerThatSaidAllItHasToSayIsStillAnswered() async throws {
        try await withGateway { live in
            let answer = try await live.exchange(
                Array(
                    "GET /v1/connections/a/tags/k HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8),
                halfClose: true)
            #expect(answer.status == 200)
        }
    }

    @Test func aHeadRequestHasNoBody() async throws {
        try await withGateway { live in
            let answer = try await live.request("HEAD /livez")
            #expect(answer.status == 200)
            #expect(answer.fields["content-length"] == "3")
            #expect(answer.body.isEmpty)
        }
    }
}

/// What is at a path of its own beside the calls.
enum Page: String, CaseIterable, Sendable {
    case index = ""
    case live = "livez"
    case ready = "readyz"
    case healthz
    case health
    /// Of clients of the older service.
    case healthLive = "health/live"
    case metrics
    case openAPI = "openapi.json"

    init?(_ segments: [String]) {
        self.init(rawValue: segments.joined(separator: "/"))
    }

    static let methods = ["GET", "HEAD"]

    /// Under which name it is authorized; `nil` needs nobody known and tells nothing.
    func access(isVerbose: Bool) -> String? {
        switch self {
        case .live, .healthLive: nil
        case .ready, .healthz, .health: isVerbose ? GatewayPage.readinessVerbose : nil
        case .metrics: GatewayPage.metrics
        case .openAPI, .index: GatewayPage.openAPI
        }
    }
}

/// The pages' contents.
enum PageContent {
    /// Of `/metrics`: Prometheus' text format.
    static let metricsType = "text/plain; version=0.0.4; charset=utf-8"

    static func liveness() -> HTTPAnswer {
        HTTPAnswer(status: 200, type: HTTPAnswer.text, text: "ok\n")
    }

    /// Without `verbose` it tells nothing but the answer itself.
    static func readiness(_ report: ReadinessReport, isVerbose: Bool) -> HTTPAnswer {
        let status = report.isReady ? 200 : 503
        guard isVerbose else {
            return HTTPAnswer(
                status: status, type: HTTPAnswer.text,
                text: report.isReady ? "ok\n" : "not ready\n")
        }
        var lines = report.checks.map { check in
            let mark = check.isOK ? "[+]" : check.isAdvisory ? "[!]" : "[-]"
            let outcome = check.isOK ? "ok" : check.isAdvisory ? "warning" : "failed"
            let why = [check.reason, check.message].filter { !$0.isEmpty }
                .joined(separator: ": ")
            return "\(mark)\(check.name) \(outcome)\(check.isOK || why.isEmpty ? "" : ": \(why)")"
        }
        lines.append("readyz check \(report.isReady ? "passed" : "failed")")
        return HTTPAnswer(
            status: status, type: HTTPAnswer.text, text: lines.joined(separator: "\n") + "\n")
    }

    static func index(_ schema: ProtoSchema) -> HTTPAnswer {
        let services = Set(schema.methods.filter { !$0.rules.isEmpty }.map(\.service)).sorted()
        let value: JSONValue = [
            "name": "wsm",
            "openapi": "/openapi.json",
            "services": .array(services.map { .string($0) }),
            "probes": [
                "/livez", "/readyz", "/readyz?verbose", "/healthz", "/health", "/health/live",
            ],
            "metrics": "/metrics",
        ]
        return HTTPAnswer(status: 200, type: HTTPAnswer.json, body: value.bytes)
    }
}

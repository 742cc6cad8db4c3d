import NIOCore

/// Paths that do not grant the upgrade, or not at once.
extension FeedPath {
    static let handshakes: [FeedPath] = [
        .script("/slow-handshake", "?delay=1000", "upgrades after so many milliseconds") {
            request in
            let delay = request.number("delay", default: 1000, in: 0...600_000)
            return FeedScript(upgradeDelay: .milliseconds(Int64(delay)))
        },
        FeedPath(path: "/hang", parameters: "", summary: "never answers the request") { _ in
            .hang
        },
        FeedPath(
            path: "/status", parameters: "?code=503&retryAfter=", summary: "answers with a status"
        ) { request in
            let code = request.number("code", default: 503, in: 200...599)
            let retryAfter = request.text("retryAfter").map { [("Retry-After", $0)] } ?? []
            return .status(code, Self.reasons[code] ?? "Status", retryAfter)
        },
        FeedPath(
            path: "/redirect", parameters: "?to=/mute", summary: "answers 302 with a location"
        ) { request in
            .status(302, "Found", [("Location", request.text("to", default: "/mute"))])
        },
    ]

    private static let reasons = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
        426: "Upgrade Required", 429: "Too Many Requests", 500: "Internal Server Error",
        502: "Bad Gateway", 503: "Service Unavailable",
    ]
}

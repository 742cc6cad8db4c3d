import HTTPTypes

/// The CORS answers for origins that are allowed.
enum CrossOrigin {
    /// What the three protocols and event streams send.
    private static let requestFields = [
        "authorization", "content-type", "connect-protocol-version", "connect-timeout-ms",
        "grpc-timeout", "last-event-id", "x-grpc-web", "x-user-agent",
    ]
    /// Seconds a browser may keep the answer; a change of the list counts soon enough.
    private static let maxAgeSeconds = 600

    static func preflight() -> HTTPAnswer {
        var answer = HTTPAnswer(status: 204, type: HTTPAnswer.text, body: [])
        answer.fields[.contentType] = nil
        answer.fields[.accessControlAllowMethods] = "GET, POST, PUT, DELETE"
        answer.fields[.accessControlAllowHeaders] = requestFields.joined(separator: ", ")
        answer.fields[.accessControlMaxAge] = String(maxAgeSeconds)
        return answer
    }

    /// Lets the page of this origin read the answer.
    static func allow(_ origin: String, in answer: inout HTTPAnswer) {
        answer.fields[.accessControlAllowOrigin] = origin
        answer.fields[.accessControlExposeHeaders] = "grpc-status, grpc-message"
        answer.fields[.vary] = "Origin"
    }

    static func isPreflight(_ head: RequestHead) -> Bool {
        head.method == "OPTIONS" && head.fields[.origin] != nil
            && head.fields[.accessControlRequestMethod] != nil
    }
}

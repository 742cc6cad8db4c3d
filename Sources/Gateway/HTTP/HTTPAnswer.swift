import GRPCCore
import HTTPTypes

/// What a request is answered with.
struct HTTPAnswer: Sendable {
    var status: Int
    var fields: HTTPFields = [:]
    var body: Body

    enum Body: Sendable {
        case bytes([UInt8])
        /// Written message by message until it ends or the reader leaves.
        case stream(StreamBody)
    }

    init(status: Int, type: String, body: [UInt8]) {
        self.status = status
        self.body = .bytes(body)
        fields[.contentType] = type
    }

    init(status: Int, type: String, text: String) {
        self.init(status: status, type: type, body: Array(text.utf8))
    }

    init(type: String, stream: StreamBody) {
        status = 200
        body = .stream(stream)
        fields[.contentType] = type
        // Caches and proxies that gather a body would hold back what is live.
        fields[.cacheControl] = "no-store"
        fields[Self.buffering] = "no"
    }

    static let json = "application/json"
    static let text = "text/plain; charset=utf-8"
    private static let buffering = HTTPField.Name.named("x-accel-buffering")
}

extension HTTPField.Name {
    /// For names that are known to be names.
    static func named(_ text: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name(text.description) else {
            preconditionFailure("\(text) is no name of a header field")
        }
        return name
    }

    static let grpcStatus = HTTPField.Name.named("grpc-status")
    static let grpcMessage = HTTPField.Name.named("grpc-message")
    static let grpcTimeout = HTTPField.Name.named("grpc-timeout")
    static let grpcEncoding = HTTPField.Name.named("grpc-encoding")
    static let connectTimeout = HTTPField.Name.named("connect-timeout-ms")
    static let connectVersion = HTTPField.Name.named("connect-protocol-version")
    static let lastEventID = HTTPField.Name.named("last-event-id")
    static let host = HTTPField.Name.named("host")
}

/// How a failure looks to a caller of HTTP/JSON: `{code, message, details}`.
enum ErrorBody {
    static func value(_ failure: RPCFailure) -> JSONValue {
        [
            "code": .string(failure.code.wireName),
            "message": .string(failure.message),
            "details": .array(
                failure.problems.map {
                    ["field": .string($0.path), "description": .string($0.description)]
                }),
        ]
    }

    static func answer(_ failure: RPCFailure) -> HTTPAnswer {
        var answer = HTTPAnswer(
            status: failure.status ?? failure.code.httpStatus, type: HTTPAnswer.json,
            body: value(failure).bytes)
        if failure.code == .unauthenticated {
            answer.fields[.wwwAuthenticate] = "Bearer"
        }
        if let seconds = failure.retryAfterSeconds {
            answer.fields[.retryAfter] = "\(seconds)"
        }
        if !failure.allowed.isEmpty {
            answer.fields[.allow] = failure.allowed.joined(separator: ", ")
        }
        return answer
    }
}

import GRPCCore
import HTTPTypes

/// The unary Connect protocol, POST only.
enum ConnectRPC {
    enum Format: Sendable {
        case json
        case proto

        init?(_ mediaType: String) {
            switch mediaType {
            case "application/json": self = .json
            case "application/proto": self = .proto
            default: return nil
            }
        }

        var contentType: String {
            switch self {
            case .json: "application/json"
            case .proto: "application/proto"
            }
        }
    }

    /// - Throws: ``RPCFailure`` for what is not taken.
    static func check(_ head: RequestHead, _ method: MethodSchema) throws(RPCFailure) {
        if let version = head.fields[.connectVersion], version != "1" {
            throw RPCFailure(
                .invalidArgument, "Connect-Protocol-Version is \(Quoted(version)): it must be 1")
        }
        let encoding = head.fields[.contentEncoding] ?? "identity"
        guard encoding == "identity" else {
            throw RPCFailure(.unimplemented, "compressed messages are not taken")
        }
        guard !method.isClientStreaming, !method.isServerStreaming else {
            throw RPCFailure(
                .unimplemented,
                "\(method.fullName) is a stream: unary Connect has none (gRPC-Web or the route do)",
                status: 415)
        }
    }

    static func answer(_ failure: RPCFailure) -> HTTPAnswer {
        // Connect spells this one with one l.
        let code =
            failure.code == .cancelled ? "canceled" : failure.code.wireName.lowercased()
        let value: JSONValue = [
            "code": .string(code),
            "message": .string(failure.message),
        ]
        var answer = ErrorBody.answer(failure)
        answer.body = .bytes(value.bytes)
        return answer
    }
}

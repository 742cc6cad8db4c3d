import GRPCCore
import HTTPTypes

/// A request before its body, and who sends it.
struct RequestHead: Sendable {
    var method: String
    var target: RequestTarget
    var fields: HTTPFields
    /// The header `Host`.
    var host: String?
    var caller: Caller

    struct Caller: Sendable {
        var address: String
        /// DER.
        var certificate: [UInt8]?
    }

    var hasBody: Bool {
        if fields[.transferEncoding] != nil { return true }
        return fields[.contentLength].map { $0 != "0" } ?? false
    }

    /// In lower case, without parameters; empty if there is none.
    var mediaType: String { MediaType(fields[.contentType] ?? "").name }

    /// What the caller is willing to wait, by either protocol's header.
    ///
    /// - Throws: ``RPCFailure`` if it cannot be read.
    var timeout: Duration? {
        get throws(RPCFailure) {
            if let text = fields[.grpcTimeout] {
                guard let timeout = CallTimeout.grpc(text) else {
                    throw RPCFailure(
                        .invalidArgument,
                        "Grpc-Timeout is \(Quoted(text)): it must be up to 8 digits and one of "
                            + "H, M, S, m, u, n")
                }
                return timeout
            }
            guard let text = fields[.connectTimeout] else { return nil }
            guard let timeout = CallTimeout.connect(text) else {
                throw RPCFailure(
                    .invalidArgument,
                    "Connect-Timeout-Ms is \(Quoted(text)): it must be up to 10 digits")
            }
            return timeout
        }
    }

    func facts(for method: String) -> GatewayRequestFacts {
        GatewayRequestFacts(
            method: method, authorization: fields[.authorization],
            peerCertificate: caller.certificate, address: caller.address)
    }
}

/// A media type and its charset.
struct MediaType: Hashable {
    var name: String
    var charset: String?

    init(_ text: String) {
        let parts = text.split(separator: ";").map { Self.trimmed($0) }
        name = parts.first?.lowercased() ?? ""
        for part in parts.dropFirst() where part.lowercased().hasPrefix("charset=") {
            charset = part.dropFirst(8).lowercased().filter { $0 != "\"" }
        }
    }

    var isUTF8: Bool { charset.map { $0 == "utf-8" || $0 == "us-ascii" } ?? true }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}

/// The timeouts of gRPC and Connect, as their headers write them.
enum CallTimeout {
    static func grpc(_ text: String) -> Duration? {
        let digits = text.dropLast()
        guard (1...8).contains(digits.utf8.count), isDigits(digits), let count = Int64(digits)
        else { return nil }
        return switch text.last {
        case "H": .seconds(count * 3_600)
        case "M": .seconds(count * 60)
        case "S": .seconds(count)
        case "m": .milliseconds(count)
        case "u": .microseconds(count)
        case "n": .nanoseconds(count)
        default: nil
        }
    }

    static func connect(_ text: String) -> Duration? {
        guard (1...10).contains(text.utf8.count), isDigits(text[...]), let count = Int64(text)
        else { return nil }
        return .milliseconds(count)
    }

    private static func isDigits(_ text: Substring) -> Bool {
        text.allSatisfy { ("0"..."9").contains($0) }
    }
}

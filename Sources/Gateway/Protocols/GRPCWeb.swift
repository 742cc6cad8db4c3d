import GRPCCore

/// The frames of gRPC-Web (grpc/grpc `PROTOCOL-WEB.md`).
enum GRPCWeb {
    /// One byte of flags, four of length.
    static let headerBytes = 5
    private static let trailerFlag: UInt8 = 0x80
    private static let compressedFlag: UInt8 = 0x01

    struct Format: Sendable, Hashable {
        /// Base64 around the frames.
        var isText: Bool
        var contentType: String

        init?(_ mediaType: String) {
            switch mediaType {
            case "application/grpc-web", "application/grpc-web+proto": isText = false
            case "application/grpc-web-text", "application/grpc-web-text+proto": isText = true
            default: return nil
            }
            contentType = isText ? "application/grpc-web-text+proto" : "application/grpc-web+proto"
        }
    }

    /// The messages of a request body.
    ///
    /// - Throws: ``RPCFailure`` for bytes that are no frames.
    static func messages(_ body: [UInt8], _ format: Format) throws(RPCFailure) -> [[UInt8]] {
        var rest = (format.isText ? try decodeText(body) : body)[...]
        var messages: [[UInt8]] = []
        while !rest.isEmpty {
            guard rest.count >= headerBytes, let flags = rest.first else {
                throw RPCFailure(.invalidArgument, "the body ends within the head of a frame")
            }
            guard flags != compressedFlag else {
                throw RPCFailure(.unimplemented, "compressed messages are not taken")
            }
            guard flags == 0 else {
                throw RPCFailure(.invalidArgument, "a frame has the unknown flags \(flags)")
            }
            let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(headerBytes)
            guard rest.count >= length else {
                throw RPCFailure(.invalidArgument, "the body ends within a frame")
            }
            messages.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return messages
    }

    /// Each write of a client may be padded on its own.
    private static func decodeText(_ body: [UInt8]) throws(RPCFailure) -> [UInt8] {
        var out: [UInt8] = []
        var start = body.startIndex
        while start < body.endIndex {
            var end = body[start...].firstIndex(of: UInt8(ascii: "=")) ?? body.endIndex
            while end < body.endIndex, body[end] == UInt8(ascii: "=") { end += 1 }
            guard let part = Base64.decode(body[start..<end]) else {
                throw RPCFailure(.invalidArgument, "the body is not base64")
            }
            out += part
            start = end
        }
        return out
    }

    static func frame(_ message: [UInt8], _ format: Format, flags: UInt8 = 0) -> [UInt8] {
        let count = UInt32(truncatingIfNeeded: message.count)
        var frame = [flags]
        for shift in [24, 16, 8, 0] as [UInt32] {
            frame.append(UInt8(truncatingIfNeeded: count >> shift))
        }
        frame += message
        guard format.isText else { return frame }
        var text: [UInt8] = []
        Base64.encode(frame, to: &text)
        return text
    }

    /// The last frame: how the call ended.
    static func trailers(_ failure: RPCFailure?, _ format: Format) -> [UInt8] {
        var text = "grpc-status:\(failure?.code.rawValue ?? 0)\r\n"
        if let failure { text += "grpc-message:\(percentEncoded(failure.message))\r\n" }
        return frame(Array(text.utf8), format, flags: trailerFlag)
    }

    /// A whole answer; HTTP's own status is 200 whatever happened.
    static func answer(
        _ format: Format, messages: [[UInt8]], _ failure: RPCFailure?
    ) -> HTTPAnswer {
        let frames = messages.flatMap { frame($0, format) } + trailers(failure, format)
        return HTTPAnswer(status: 200, type: format.contentType, body: frames)
    }

    /// As gRPC writes messages: printable ASCII but `%` as it is.
    private static func percentEncoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                out += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return out
    }
}

/// A stream of gRPC-Web.
struct GRPCWebWriter: StreamWriting {
    let format: GRPCWeb.Format

    func bytes(of message: [UInt8]) -> [UInt8] { GRPCWeb.frame(message, format) }

    func end(_ failure: RPCFailure?) -> [UInt8] { GRPCWeb.trailers(failure, format) }

    var keepalive: [UInt8] { [] }
}

import GRPCCore
import NIOCore
import NIOHPACK

/// The header fields of an answer that decide about a call.
struct AnswerHead: Sendable {
    /// `:status`.
    var httpStatus: Int?
    var contentType: String?
    /// `grpc-status`.
    var status: Int?
    /// `grpc-message`, as it was sent.
    var message = ""
    /// `grpc-status-details-bin`: base64.
    var details: String?

    init(_ fields: HPACKHeaders) {
        for (name, value, _) in fields {
            switch name {
            case ":status": httpStatus = Int(value)
            case "content-type": contentType = value
            case "grpc-status": status = Int(value)
            case "grpc-message": message = value
            case "grpc-status-details-bin": details = value
            default: break
            }
        }
    }

    /// Something to be passed over before the answer (RFC 9110, 15.2).
    var isInformational: Bool { httpStatus.map { (100..<200).contains($0) } ?? false }

    /// Why the head of an answer that is to have a message is none; `nil` if it is one.
    var refusal: RPCError? {
        guard httpStatus == 200 else { return httpError }
        guard contentType?.hasPrefix("application/grpc") == true else {
            return RPCError(
                code: .unknown, message: "it answered with content type \(contentType ?? "none")")
        }
        return nil
    }

    /// What the end of an answer says; `nil`: the call succeeded.
    var outcome: RPCError? {
        guard let status else {
            guard let httpStatus, httpStatus != 200 else {
                return RPCError(code: .unknown, message: "it answered without a status")
            }
            return httpError
        }
        return status == 0 ? nil : error(status)
    }

    private func error(_ status: Int) -> RPCError {
        let code = Status.Code(rawValue: status).flatMap(RPCError.Code.init) ?? .unknown
        var metadata = Metadata()
        if let details { metadata.addString(details, forKey: "grpc-status-details-bin") }
        return RPCError(code: code, message: Self.percentDecoded(message), metadata: metadata)
    }

    /// A proxy, or a server that is none of gRPC (the gRPC document "HTTP to gRPC Status Code
    /// Mapping").
    private var httpError: RPCError {
        let code: RPCError.Code =
            switch httpStatus {
            case 400: .internalError
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .unimplemented
            case 429, 502, 503, 504: .unavailable
            default: .unknown
            }
        let status = httpStatus.map(String.init) ?? "none"
        return RPCError(code: code, message: "it answered with HTTP status \(status)")
    }

    /// `%` and two digits stand for a byte; what does not is left as it is.
    static func percentDecoded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2,
                let high = digit(rest[rest.startIndex]),
                let low = digit(rest[rest.startIndex + 1])
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(high << 4 | low)
            rest.removeFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}

/// Reads header blocks of answers.
///
/// The blocks of one call look like those of the last: two or three bytes that name entries of the
/// table. What they mean is kept until a block changes the table.
struct AnswerHeads {
    private var decoder: HPACKDecoder
    private var known: [(block: UInt64, head: AnswerHead)] = []
    /// An answer has two blocks, and refusals some others.
    private static let keeps = 8

    /// - Parameter maxBytes: Of one list of fields (``HTTP2/Setting/headerList``).
    init(maxBytes: Int) {
        decoder = HPACKDecoder(
            allocator: ByteBufferAllocator(), maxDynamicTableSize: HPACKDecoder.maxDynamicTableSize,
            maxHeaderListSize: maxBytes)
    }

    /// - Throws: a fault: the table is not what the peer thinks any more.
    mutating func read(_ block: ByteBuffer) throws(HTTP2.Fault) -> AnswerHead {
        let key = Self.key(block)
        if let key, let found = known.first(where: { $0.block == key }) { return found.head }
        var block = block
        let head: AnswerHead
        do {
            head = AnswerHead(try decoder.decodeHeaders(from: &block))
        } catch {
            throw HTTP2.Fault(.compression, "sent header fields that cannot be read: \(error)")
        }
        guard let key else {
            known.removeAll(keepingCapacity: true)
            return head
        }
        if known.count < Self.keeps { known.append((key, head)) }
        return head
    }

    /// Of a block that only names entries, each with one byte (RFC 7541, 6.1).
    private static func key(_ block: ByteBuffer) -> UInt64? {
        guard (1...7).contains(block.readableBytes) else { return nil }
        var key = UInt64(block.readableBytes)
        for byte in block.readableBytesView {
            guard byte >= 0x81, byte != 0xFF else { return nil }
            key = key << 8 | UInt64(byte)
        }
        return key
    }
}

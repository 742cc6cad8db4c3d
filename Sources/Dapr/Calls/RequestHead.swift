import NIOCore

/// The calls that are made over a ``CallConnection``.
enum CallMethod: Int, CaseIterable, Sendable {
    case publish, bulkPublish, bulkPublishAlpha

    /// As Dapr calls it.
    var name: String {
        switch self {
        case .publish: "PublishEvent"
        case .bulkPublish: "BulkPublishEvent"
        case .bulkPublishAlpha: "BulkPublishEventAlpha1"
        }
    }

    var path: String { "/dapr.proto.runtime.v1.Dapr/" + name }
}

/// Writes the header block of a call: HPACK (RFC 7541) without Huffman coding.
///
/// What is the same for all calls goes into the peer's table with the first call that has it, and
/// is one byte from then on. The API token never does: it is a secret (7.1.3).
struct RequestHead {
    /// What is sent to whom, the same for all calls of a connection.
    struct Fixed: Sendable {
        var authority: String
        var usesTLS: Bool
        /// A secret.
        var apiToken: String?
    }

    private static let userAgent = "wsm"
    /// What a table must hold so that ours is used; its size unless the peer says otherwise.
    private static let tableBytes: UInt32 = 4_096

    /// A field with its forms: with and without a place in the table.
    private struct Field {
        var adding: [UInt8]
        var plain: [UInt8]
        /// How many were added before it; `nil` if it is not in the table.
        var place: Int?

        /// - Parameter index: Of the name in the static table (appendix A); 0 spells it out.
        init(_ index: Int, _ name: String, _ value: String) {
            adding = HPACK.literal(index, name, value, flags: 0x40, prefix: 6)
            plain = HPACK.literal(index, name, value, flags: 0x00, prefix: 4)
        }
    }

    private let first: [UInt8]
    private var paths: [Field]
    private var fields: [Field]
    private let token: [UInt8]
    private let timeoutName: [UInt8]
    private var table = Table()
    private var mustTellSize = false

    /// Our part of the table that the peer keeps.
    private struct Table {
        var added = 0
        var isUsed = true

        mutating func write(_ field: inout Field, to block: inout ByteBuffer) {
            guard isUsed else {
                block.writeBytes(field.plain)
                return
            }
            guard let place = field.place else {
                block.writeBytes(field.adding)
                field.place = added
                added += 1
                return
            }
            // The youngest has index 62; there are fewer than the 65 that fit into this byte.
            block.writeInteger(UInt8(0x80) | UInt8(61 + added - place))
        }
    }

    init(_ fixed: Fixed) {
        // POST, and the scheme: both are in the static table.
        first = [0x83, fixed.usesTLS ? 0x87 : 0x86]
        paths = CallMethod.allCases.map { Field(4, ":path", $0.path) }
        fields = [
            Field(1, ":authority", fixed.authority),
            Field(0, "te", "trailers"),
            Field(31, "content-type", "application/grpc"),
            Field(58, "user-agent", Self.userAgent),
        ]
        token =
            fixed.apiToken.map { HPACK.literal(0, "dapr-api-token", $0, flags: 0x10, prefix: 4) }
            ?? []
        timeoutName = [0x00] + HPACK.text("grpc-timeout")
    }

    /// The peer says how large a table it keeps. A smaller one than usual is not worth the
    /// book-keeping: then everything is spelled out.
    mutating func tableSize(_ bytes: UInt32) {
        guard bytes < Self.tableBytes, table.isUsed else { return }
        table.isUsed = false
        mustTellSize = true
    }

    /// - Parameter timeout: How long the call may take: 1 ms or more.
    mutating func write(_ method: CallMethod, timeout: TimeAmount, to block: inout ByteBuffer) {
        if mustTellSize {
            mustTellSize = false
            block.writeInteger(UInt8(0x20))
        }
        block.writeBytes(first)
        table.write(&paths[method.rawValue], to: &block)
        for index in fields.indices { table.write(&fields[index], to: &block) }
        block.writeBytes(token)
        block.writeBytes(timeoutName)
        // At most eight digits (the gRPC protocol over HTTP/2, "Timeout").
        let milliseconds = min(max(timeout.nanoseconds / 1_000_000, 1), 99_999_999)
        let text = String(milliseconds)
        block.writeInteger(UInt8(text.utf8.count + 1))
        block.writeString(text)
        block.writeInteger(UInt8(ascii: "m"))
    }
}

/// Pieces of a header block (RFC 7541, 5 and 6).
enum HPACK {
    static func literal(
        _ index: Int, _ name: String, _ value: String, flags: UInt8, prefix: Int
    ) -> [UInt8] {
        integer(index, flags: flags, prefix: prefix) + (index == 0 ? text(name) : []) + text(value)
    }

    static func text(_ text: String) -> [UInt8] {
        integer(text.utf8.count, flags: 0, prefix: 7) + Array(text.utf8)
    }

    static func integer(_ value: Int, flags: UInt8, prefix: Int) -> [UInt8] {
        let most = 1 << prefix - 1
        guard value >= most else { return [flags | UInt8(value)] }
        var bytes = [flags | UInt8(most)]
        var rest = value - most
        while rest >= 128 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        return bytes
    }
}

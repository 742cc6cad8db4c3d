import NIOCore

/// Requests of the publish calls as bytes: protobuf by hand behind the prefix of a gRPC message.
///
/// Generated messages would copy each event twice more. Field numbers are those of `dapr.proto`.
enum PublishRequest {
    /// `PublishEventRequest`.
    static func event(
        _ data: [UInt8], contentType: String, topic: String, pubsub: String,
        metadata: [String: String]
    ) -> ByteBuffer {
        let size =
            Protobuf.size(1, pubsub) + Protobuf.size(2, topic) + Protobuf.size(3, data.count)
            + Protobuf.size(4, contentType) + Protobuf.size(5, metadata)
        return message(of: size) { bytes in
            bytes.writeField(1, pubsub)
            bytes.writeField(2, topic)
            bytes.writeField(3, data)
            bytes.writeField(4, contentType)
            bytes.writeField(5, metadata)
        }
    }

    /// `BulkPublishRequest`.
    static func bulk(_ entries: [DaprBulkEntry], topic: String, pubsub: String) -> ByteBuffer {
        let sizes = entries.map(size)
        let size = sizes.reduce(Protobuf.size(1, pubsub) + Protobuf.size(2, topic)) {
            $0 + Protobuf.size(3, $1, writesEmpty: true)
        }
        return message(of: size) { bytes in
            bytes.writeField(1, pubsub)
            bytes.writeField(2, topic)
            for (entry, size) in zip(entries, sizes) {
                bytes.writeFieldHead(3, length: size)
                bytes.writeField(1, entry.id)
                bytes.writeField(2, entry.data)
                bytes.writeField(3, entry.contentType)
                bytes.writeField(4, entry.metadata)
            }
        }
    }

    private static func size(_ entry: DaprBulkEntry) -> Int {
        Protobuf.size(1, entry.id) + Protobuf.size(2, entry.data.count)
            + Protobuf.size(3, entry.contentType) + Protobuf.size(4, entry.metadata)
    }

    /// - Parameter size: What `write` writes, in bytes.
    private static func message(of size: Int, _ write: (inout ByteBuffer) -> Void) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: size + 5)
        bytes.writeMultipleIntegers(UInt8(0), UInt32(truncatingIfNeeded: size))
        write(&bytes)
        return bytes
    }
}

/// Sizes of length-delimited fields. An empty value is not written, as proto3 has it.
private enum Protobuf {
    static func size(_ number: Int, _ text: String) -> Int { size(number, text.utf8.count) }

    static func size(_ number: Int, _ length: Int, writesEmpty: Bool = false) -> Int {
        guard length > 0 || writesEmpty else { return 0 }
        return varintSize(number << 3) + varintSize(length) + length
    }

    static func size(_ number: Int, _ map: [String: String]) -> Int {
        map.reduce(0) { $0 + size(number, entry($1), writesEmpty: true) }
    }

    static func entry(_ entry: (key: String, value: String)) -> Int {
        size(1, entry.key) + size(2, entry.value)
    }

    private static func varintSize(_ value: Int) -> Int {
        max(1, (Int.bitWidth - value.leadingZeroBitCount + 6) / 7)
    }
}

extension ByteBuffer {
    fileprivate mutating func writeField(_ number: Int, _ text: String) {
        guard !text.isEmpty else { return }
        writeFieldHead(number, length: text.utf8.count)
        writeString(text)
    }

    fileprivate mutating func writeField(_ number: Int, _ data: [UInt8]) {
        guard !data.isEmpty else { return }
        writeFieldHead(number, length: data.count)
        writeBytes(data)
    }

    fileprivate mutating func writeField(_ number: Int, _ map: [String: String]) {
        for entry in map {
            writeFieldHead(number, length: Protobuf.entry(entry))
            writeField(1, entry.key)
            writeField(2, entry.value)
        }
    }

    fileprivate mutating func writeFieldHead(_ number: Int, length: Int) {
        writeVarint(number << 3 | 2)
        writeVarint(length)
    }

    private mutating func writeVarint(_ value: Int) {
        var rest = value
        while rest >= 0x80 {
            writeInteger(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(rest))
    }
}

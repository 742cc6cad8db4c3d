import Spec

/// The form of a run of events in a spill file, with everything that makes it again.
///
/// A record is: the length of its body (4 bytes, little-endian), a CRC-32 of the body (4 bytes), the
/// body. A record that was cut short, or whose sum is wrong, is the end of what can be read.
package enum SpillCodec {
    /// Of a body. A larger length is damage; bytes.
    package static let largestBody = 512 << 20
    package static let frameBytes = 8
    private static let version: UInt8 = 1

    /// Appends one record.
    package static func append(_ run: EventRun, to bytes: inout [UInt8]) {
        var body = SpillWriter()
        let block = run.block
        body.byte(version)
        body.text(block.origin.uid.rawValue)
        body.number(block.origin.epoch)
        body.text(block.origin.type)
        body.text(block.origin.source)
        body.text(block.origin.subject ?? "")
        body.number(UInt64(block.origin.attributes.count))
        for attribute in block.origin.attributes {
            body.text(attribute.name)
            body.text(attribute.value)
        }
        body.text(block.topic)
        body.number(UInt64(bitPattern: block.time.nanosecondsSinceEpoch))
        body.text(block.kind.word)
        body.text(block.data.rawValue)
        body.text(block.delivery.order.rawValue)
        body.text(block.delivery.batch.rawValue)
        body.number(UInt64(block.delivery.batchBytes))
        body.text(block.delivery.attributes.rawValue)
        body.number(run.id(at: 0).sequence)
        body.number(UInt64(run.count))
        for index in 0..<run.count { body.number(UInt64(run.payloadRange(at: index).count)) }
        for index in 0..<run.count {
            body.bytes += block.payload[run.payloadRange(at: index)]
        }
        append(UInt32(body.bytes.count), to: &bytes)
        append(CRC32.sum(of: body.bytes[...]), to: &bytes)
        bytes += body.bytes
    }

    /// What stands at a place of a file.
    package enum Read: Sendable {
        /// - Parameter end: where the next record begins.
        case record(EventRun, end: Int)
        /// No whole record: the rest of a write that was cut short, or the end.
        case end
        /// A whole record that is not what was written.
        case damaged(end: Int)
    }

    /// - Parameter permit: of whoever publishes what is read.
    package static func read(
        _ bytes: ArraySlice<UInt8>, permit: (any PublishPermit)? = nil
    ) -> Read {
        guard bytes.count >= frameBytes else { return .end }
        let start = bytes.startIndex
        let length = Int(number(bytes[start..<start + 4]))
        guard length <= largestBody, bytes.count - frameBytes >= length else { return .end }
        let body = bytes[start + frameBytes..<start + frameBytes + length]
        guard CRC32.sum(of: body) == number(bytes[start + 4..<start + 8]),
            let run = decode(body, permit)
        else { return .damaged(end: body.endIndex) }
        return .record(run, end: body.endIndex)
    }

    private static func decode(
        _ body: ArraySlice<UInt8>, _ permit: (any PublishPermit)?
    ) -> EventRun? {
        var reader = SpillReader(rest: body)
        guard reader.byte() == version, let uid = reader.text().flatMap(ConnectionUID.init),
            let epoch = reader.number(), let type = reader.text(), let source = reader.text(),
            let subject = reader.text(), let attributes = reader.attributes(),
            let topic = reader.text(), let time = reader.number(),
            let kind = reader.text().flatMap(OutboundEvent.Kind.init(word:)),
            let data = reader.text().flatMap(ConnectionSpec.PublishData.init),
            let delivery = reader.delivery(), let first = reader.number(),
            let sizes = reader.sizes(), !sizes.isEmpty
        else { return nil }
        var ends: [Int] = []
        var end = 0
        for size in sizes {
            end += size
            ends.append(end)
        }
        guard reader.rest.count == end else { return nil }
        return EventRun(
            origin: EventOrigin(
                uid: uid, epoch: epoch, type: type, source: source,
                subject: subject.isEmpty ? nil : subject, attributes: attributes,
                permit: permit),
            topic: topic, time: WallTime(nanosecondsSinceEpoch: Int64(bitPattern: time)),
            kind: kind, data: data, delivery: delivery, firstSequence: first,
            payload: Array(reader.rest), ends: ends)
    }

    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift)))
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension OutboundEvent.Kind {
    fileprivate var word: String {
        switch self {
        case .text: "text"
        case .binary: "binary"
        case .json: "json"
        }
    }

    fileprivate init?(word: String) {
        switch word {
        case "text": self = .text
        case "binary": self = .binary
        case "json": self = .json
        default: return nil
        }
    }
}

/// Writes the fields of a body.
struct SpillWriter {
    var bytes: [UInt8] = []

    mutating func byte(_ byte: UInt8) { bytes.append(byte) }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    mutating func number(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func text(_ text: String) {
        number(UInt64(text.utf8.count))
        bytes += text.utf8
    }
}

/// Reads what ``SpillWriter`` wrote; `nil` for anything else.
struct SpillReader {
    var rest: ArraySlice<UInt8>

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            let part = UInt64(byte & 0x7F)
            guard (part << shift) >> shift == part else { return nil }
            number |= part << shift
            if byte & 0x80 == 0 { return number }
        }
        return nil
    }

    /// A number of things that are all still to come, so at most as many as bytes are left.
    private mutating func count() -> Int? {
        guard let number = number(), number <= UInt64(rest.count) else { return nil }
        return Int(number)
    }

    mutating func text() -> String? {
        guard let count = count() else { return nil }
        defer { rest = rest.dropFirst(count) }
        return String(validating: rest.prefix(count), as: UTF8.self)
    }

    mutating func attributes() -> [OutboundEvent.Attribute]? {
        guard let count = count() else { return nil }
        var attributes: [OutboundEvent.Attribute] = []
        for _ in 0..<count {
            guard let name = text(), let value = text() else { return nil }
            attributes.append(.init(name, value))
        }
        return attributes
    }

    mutating func delivery() -> EventDelivery? {
        var publish = ConnectionSpec.Publish()
        guard let order = text().flatMap(ConnectionSpec.PublishOrder.init),
            let batch = text().flatMap(ConnectionSpec.PublishBatch.init),
            let bytes = number(), bytes <= UInt64(Int32.max),
            let attributes = text().flatMap(ConnectionSpec.PublishAttributes.init)
        else { return nil }
        publish.order = order
        publish.batch = batch
        publish.batchBytes = Int(bytes)
        publish.attributes = attributes
        return EventDelivery(publish)
    }

    mutating func sizes() -> [Int]? {
        guard let count = count() else { return nil }
        var sizes: [Int] = []
        sizes.reserveCapacity(count)
        for _ in 0..<count {
            guard let size = self.count() else { return nil }
            sizes.append(size)
        }
        return sizes
    }
}

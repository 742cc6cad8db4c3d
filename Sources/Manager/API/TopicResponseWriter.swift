import ManagerCore

/// Writes deliveries as `wsm.v1.SubscribeResponse`, byte for byte as the generated type would
/// (protobuf encoding: fields in the order of their numbers, defaults left out).
///
/// What the messages of a run have in common is written once and copied; nothing is allocated for
/// a message.
struct TopicResponseWriter {
    /// After so many bytes a response is full; one message more may come on top. Such a response
    /// goes into buffers of 64 KiB on its way, which are at hand; larger ones cost fresh memory.
    static let responseBytes = 60 << 10

    private let runs: [EventRun]
    private let responseBytes: Int
    private var position: UInt64
    private var missed: UInt64
    private var run = 0
    private var index = 0
    private var head = Head()

    init(_ delivery: TopicDelivery, responseBytes: Int = Self.responseBytes) {
        runs = delivery.runs
        position = delivery.firstPosition
        missed = delivery.missed
        self.responseBytes = responseBytes
        if let first = runs.first { head = Head(of: first) }
    }

    /// The next response; `nil` after the last.
    mutating func next() -> [UInt8]? {
        guard run < runs.count || missed > 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(capacity)
        while run < runs.count, bytes.count < responseBytes {
            appendMessages(to: &bytes)
            guard index == runs[run].count else { break }
            index = 0
            run += 1
            if run < runs.count { head = Head(of: runs[run]) }
        }
        if missed > 0 {
            bytes.append(ProtobufBytes.tag(2, .varint))
            ProtobufBytes.append(missed, to: &bytes)
            missed = 0
        }
        return bytes
    }

    /// Messages of the run that is next, until the response is full.
    private mutating func appendMessages(to bytes: inout [UInt8]) {
        let run = runs[run]
        let first = run.sequence(at: 0)
        run.forEachPayload(from: index) { place, payload in
            head.append(
                position: position, sequence: first + UInt64(place),
                contentType: CloudEventWriter.contentType(of: run.block, payload)
                    ?? "application/octet-stream",
                data: payload, to: &bytes)
            position += 1
            index += 1
            return bytes.count < responseBytes
        }
    }

    /// About what the next response takes, so that the array does not grow while it is written.
    private var capacity: Int {
        var left = 16
        for run in runs[run...] where left < responseBytes {
            left += run.bytes + run.count * head.bytes
        }
        return min(left, responseBytes + responseBytes / 16)
    }
}

/// What the messages of one run have in common.
private struct Head {
    /// An id up to its sequence.
    private var idPrefix: [UInt8] = []
    /// The fields `type` to `epoch`.
    private var fields: [UInt8] = []

    init() {}

    init(of run: EventRun) {
        let origin = run.block.origin
        idPrefix = Array("\(origin.uid).\(origin.epoch).".utf8)
        ProtobufBytes.append(origin.type, as: 3, to: &fields)
        ProtobufBytes.append(origin.source, as: 4, to: &fields)
        ProtobufBytes.append(run.block.time.rfc3339, as: 5, to: &fields)
        ProtobufBytes.append(origin.last("websocketid"), as: 6, to: &fields)
        ProtobufBytes.append(origin.last("websocketurl"), as: 7, to: &fields)
        if origin.epoch != 0 {
            fields.append(ProtobufBytes.tag(8, .varint))
            ProtobufBytes.append(origin.epoch, to: &fields)
        }
    }

    /// What is common to each message.
    var bytes: Int { idPrefix.count + fields.count }

    /// One element of `messages`, with its tag and length.
    func append(
        position: UInt64, sequence: UInt64, contentType: StaticString,
        data: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]
    ) {
        let idBytes = idPrefix.count + ProtobufBytes.digits(sequence)
        let type = UnsafeBufferPointer(
            start: contentType.utf8Start, count: contentType.utf8CodeUnitCount)
        let size =
            (position == 0 ? 0 : 1 + ProtobufBytes.size(position))
            + ProtobufBytes.fieldSize(idBytes) + fields.count
            + (sequence == 0 ? 0 : 1 + ProtobufBytes.size(sequence))
            + ProtobufBytes.fieldSize(type.count)
            + (data.isEmpty ? 0 : ProtobufBytes.fieldSize(data.count))
        bytes.append(ProtobufBytes.tag(1, .bytes))
        ProtobufBytes.append(UInt64(size), to: &bytes)
        if position != 0 {
            bytes.append(ProtobufBytes.tag(1, .varint))
            ProtobufBytes.append(position, to: &bytes)
        }
        bytes.append(ProtobufBytes.tag(2, .bytes))
        ProtobufBytes.append(UInt64(idBytes), to: &bytes)
        bytes.append(contentsOf: idPrefix)
        JSONBytes.appendDecimal(sequence, to: &bytes)
        bytes.append(contentsOf: fields)
        if sequence != 0 {
            bytes.append(ProtobufBytes.tag(9, .varint))
            ProtobufBytes.append(sequence, to: &bytes)
        }
        ProtobufBytes.append(type, as: 10, to: &bytes)
        if !data.isEmpty { ProtobufBytes.append(data, as: 11, to: &bytes) }
    }
}

extension EventOrigin {
    /// The value of the last attribute of this name; empty if there is none.
    fileprivate func last(_ name: String) -> String {
        attributes.last { $0.name == name }?.value ?? ""
    }
}

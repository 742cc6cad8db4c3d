import ManagerCore

/// Writes deliveries as `wsm.v1.SubscribeResponse`, byte for byte as the generated type would
/// (protobuf encoding: fields in the order of their numbers, defaults left out).
///
/// What the messages of a run have in common is written once and copied; nothing is allocated for
/// a message, and no reference is counted.
struct TopicResponseWriter {
    /// A response has as many messages as fit into so many bytes, at least one. It goes into buffers
    /// of 64 KiB on its way, which are at hand; larger ones cost fresh memory.
    static let responseBytes = 60 << 10
    /// Of the fields that are not common to a run, but for the payload: tags, lengths, numbers, the
    /// content type.
    private static let mostFieldBytes = 128

    private let runs: [EventRun]
    private let responseBytes: Int
    private var position: UInt64
    private var missed: UInt64
    private var run = 0
    private var index = 0
    private var head = MessageHead()

    init(_ delivery: TopicDelivery, responseBytes: Int = Self.responseBytes) {
        runs = delivery.runs
        position = delivery.firstPosition
        missed = delivery.missed
        self.responseBytes = responseBytes
        if let first = runs.first { head = MessageHead(of: first) }
    }

    /// The next response; `nil` after the last.
    mutating func next() -> [UInt8]? {
        guard run < runs.count || missed > 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: capacity) { memory, count in
            // What was missed is told at the end, as its field has the higher number.
            let missedBytes = ProtobufBytes.fieldSize(missed)
            var output = ProtobufOutput(.init(rebasing: memory.dropLast(missedBytes)))
            writeMessages(to: &output)
            let (messages, end) = (output.count, output.count + missedBytes)
            output = ProtobufOutput(.init(rebasing: memory[messages..<end]))
            output.write(missed, as: 2)
            missed = 0
            count = end
        }
    }

    private mutating func writeMessages(to output: inout ProtobufOutput) {
        while run < runs.count {
            let current = runs[run]
            writeMessages(of: current, to: &output)
            guard index == current.count else { return }
            index = 0
            run += 1
            if run < runs.count { head = MessageHead(of: runs[run]) }
        }
    }

    /// As many messages of a run as there is room for.
    private mutating func writeMessages(of run: EventRun, to output: inout ProtobufOutput) {
        let first = run.sequence(at: 0)
        let block = run.block
        var (position, index) = (position, index)
        head.withUnsafeFields { head in
            run.forEachPayload(from: index) { place, payload in
                let contentType =
                    CloudEventWriter.contentType(of: block, payload) ?? "application/octet-stream"
                let message = MessageFields(
                    head: head, position: position, sequence: first + UInt64(place),
                    contentType: contentType, data: payload)
                guard ProtobufBytes.fieldSize(message.bytes) <= output.room else { return false }
                message.write(to: &output)
                position += 1
                index += 1
                return true
            }
        }
        (self.position, self.index) = (position, index)
    }

    /// Enough for what is left if it is little, and for the next message if that is large.
    private var capacity: Int {
        let missedBytes = ProtobufBytes.fieldSize(missed)
        guard run < runs.count else { return missedBytes }
        let next = runs[run].payloadRange(at: index).count + head.bytes + Self.mostFieldBytes
        // What the heads of other runs take is not known yet.
        let rest =
            run + 1 < runs.count
            ? responseBytes : runs[run].bytes + runs[run].count * (head.bytes + Self.mostFieldBytes)
        return max(next, min(rest, responseBytes)) + missedBytes
    }
}

/// What the messages of one run have in common, in the encoding of `TopicMessage`.
private struct MessageHead {
    /// An id up to its sequence.
    private var idPrefix: [UInt8] = []
    /// The fields `type` to `epoch`.
    private var fields: [UInt8] = []

    struct Unsafe {
        var idPrefix: UnsafeBufferPointer<UInt8>
        var fields: UnsafeBufferPointer<UInt8>
    }

    init() {}

    init(of run: EventRun) {
        let origin = run.block.origin
        idPrefix = Array("\(origin.uid).\(origin.epoch).".utf8)
        let texts: [(field: UInt8, text: String)] = [
            (3, origin.type), (4, origin.source), (5, run.block.time.rfc3339),
            (6, origin.last("websocketid")), (7, origin.last("websocketurl")),
        ].filter { !$0.text.isEmpty }
        let size = texts.reduce(ProtobufBytes.fieldSize(origin.epoch)) {
            $0 + ProtobufBytes.fieldSize($1.text.utf8.count)
        }
        fields = [UInt8](unsafeUninitializedCapacity: size) { memory, count in
            var output = ProtobufOutput(memory)
            for (field, var text) in texts {
                output.begin(field, bytes: text.utf8.count)
                text.withUTF8 { output.write($0) }
            }
            output.write(origin.epoch, as: 8)
            count = output.count
        }
    }

    var bytes: Int { idPrefix.count + fields.count }

    func withUnsafeFields(_ body: (Unsafe) -> Void) {
        idPrefix.withUnsafeBufferPointer { idPrefix in
            fields.withUnsafeBufferPointer { body(Unsafe(idPrefix: idPrefix, fields: $0)) }
        }
    }
}

/// One element of `messages`.
private struct MessageFields {
    let head: MessageHead.Unsafe
    let position: UInt64
    let sequence: UInt64
    let contentType: UnsafeBufferPointer<UInt8>
    let data: UnsafeBufferPointer<UInt8>
    private let digits: Int
    /// Without the tag and the length of the element.
    let bytes: Int

    init(
        head: MessageHead.Unsafe, position: UInt64, sequence: UInt64, contentType: StaticString,
        data: UnsafeBufferPointer<UInt8>
    ) {
        self.head = head
        self.position = position
        self.sequence = sequence
        self.contentType = UnsafeBufferPointer(
            start: contentType.utf8Start, count: contentType.utf8CodeUnitCount)
        self.data = data
        digits = ProtobufBytes.digits(sequence)
        bytes =
            ProtobufBytes.fieldSize(position)
            + ProtobufBytes.fieldSize(head.idPrefix.count + digits) + head.fields.count
            + ProtobufBytes.fieldSize(sequence)
            + ProtobufBytes.fieldSize(contentType.utf8CodeUnitCount)
            + (data.isEmpty ? 0 : ProtobufBytes.fieldSize(data.count))
    }

    func write(to output: inout ProtobufOutput) {
        output.begin(1, bytes: bytes)
        output.write(position, as: 1)
        output.begin(2, bytes: head.idPrefix.count + digits)
        output.write(head.idPrefix)
        output.write(digitsOf: sequence, count: digits)
        output.write(head.fields)
        output.write(sequence, as: 9)
        output.begin(10, bytes: contentType.count)
        output.write(contentType)
        guard !data.isEmpty else { return }
        output.begin(11, bytes: data.count)
        output.write(data)
    }
}

extension EventOrigin {
    /// The value of the last attribute of this name; empty if there is none.
    fileprivate func last(_ name: String) -> String {
        attributes.last { $0.name == name }?.value ?? ""
    }
}

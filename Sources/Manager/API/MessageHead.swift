import ManagerCore

/// What the messages of one run have in common, in the encoding of `TopicMessage`. One for each
/// stream, shown one run after the other: but for the time, all runs of an origin have the same.
struct MessageHead {
    /// Origins remembered at one time, some 400 bytes each; with one more, all are forgotten.
    private static let mostOrigins = 2048

    /// What is the same in each message of an origin.
    private struct Fixed {
        /// Held, so that no other origin comes to lie where it is.
        var origin: EventOrigin
        /// Of the id, up to the sequence.
        var idPrefix: [UInt8]
        /// Fields before the time, and those behind it.
        var beforeTime: [UInt8]
        var afterTime: [UInt8]
    }

    struct Unsafe {
        var idPrefix: UnsafeBufferPointer<UInt8>
        var fields: UnsafeBufferPointer<UInt8>
    }

    private var origins: [ObjectIdentifier: Fixed] = [:]
    private var time: [UInt8] = []
    private var idPrefix: [UInt8] = []
    /// The fields `type` to `epoch`.
    private var fields: [UInt8] = []

    var bytes: Int { idPrefix.count + fields.count }

    /// Becomes the head of the runs of this block, in the memory of the former.
    mutating func show(_ block: EventRun.Block) {
        let fixed = fixed(of: block.origin)
        idPrefix = fixed.idPrefix
        time.removeAll(keepingCapacity: true)
        block.time.appendRFC3339(to: &time)
        fields.removeAll(keepingCapacity: true)
        fields += fixed.beforeTime
        fields.append(ProtobufBytes.tag(5, .bytes))
        // It has 27 bytes, so its length takes one.
        fields.append(UInt8(time.count))
        fields += time
        fields += fixed.afterTime
    }

    func withUnsafeFields(_ body: (Unsafe) -> Void) {
        idPrefix.withUnsafeBufferPointer { idPrefix in
            fields.withUnsafeBufferPointer { body(Unsafe(idPrefix: idPrefix, fields: $0)) }
        }
    }

    private mutating func fixed(of origin: EventOrigin) -> Fixed {
        if let known = origins[ObjectIdentifier(origin)] { return known }
        if origins.count == Self.mostOrigins { origins.removeAll(keepingCapacity: true) }
        let fixed = Fixed(
            origin: origin, idPrefix: Array("\(origin.uid).\(origin.epoch).".utf8),
            beforeTime: Self.fields([(3, origin.type), (4, origin.source)]),
            afterTime: Self.fields(
                [(6, origin.last("websocketid")), (7, origin.last("websocketurl"))],
                epoch: origin.epoch))
        origins[ObjectIdentifier(origin)] = fixed
        return fixed
    }

    private static func fields(
        _ texts: [(field: UInt8, text: String)], epoch: UInt64 = 0
    ) -> [UInt8] {
        let texts = texts.filter { !$0.text.isEmpty }
        let size = texts.reduce(ProtobufBytes.fieldSize(epoch)) {
            $0 + ProtobufBytes.fieldSize($1.text.utf8.count)
        }
        return [UInt8](unsafeUninitializedCapacity: size) { memory, count in
            var output = ProtobufOutput(memory)
            for (field, var text) in texts {
                output.begin(field, bytes: text.utf8.count)
                text.withUTF8 { output.write($0) }
            }
            output.write(epoch, as: 8)
            count = output.count
        }
    }
}

extension EventOrigin {
    /// The value of the last attribute of this name; empty if there is none.
    fileprivate func last(_ name: String) -> String {
        attributes.last { $0.name == name }?.value ?? ""
    }
}

package import Spec

/// What a connection wants of a broker: `publish` of its spec, but for what its queue sees to.
package struct EventDelivery: Sendable, Hashable {
    package var order: ConnectionSpec.PublishOrder
    package var batch: ConnectionSpec.PublishBatch
    package var attributes: ConnectionSpec.PublishAttributes
    /// In half a word, for every connection has one.
    private var mostBatchBytes: Int32

    package init(_ publish: ConnectionSpec.Publish = ConnectionSpec.Publish()) {
        order = publish.order
        batch = publish.batch
        mostBatchBytes = Int32(clamping: publish.batchBytes)
        attributes = publish.attributes
    }

    /// Of one event with an array, in bytes.
    package var batchBytes: Int { Int(mostBatchBytes) }

    init(attributes: ConnectionSpec.PublishAttributes) {
        self.init()
        self.attributes = attributes
    }
}

/// Events of one origin and one topic with consecutive sequence numbers: what one read brought.
///
/// One block of bytes holds the payloads of all; the run is a window of it. So a message costs
/// neither an allocation nor a count of references on its way from the socket to the ring. A
/// lifecycle event is a run of one, and is written when somebody reads it.
package struct EventRun: MessageRun {
    /// What does not change once it was received.
    package final class Block: Sendable {
        package let origin: EventOrigin
        package let topic: String
        /// When the read happened.
        package let time: WallTime
        package let kind: OutboundEvent.Kind
        package let data: ConnectionSpec.PublishData
        package let delivery: EventDelivery
        /// Of the first event of the block.
        package let firstSequence: UInt64
        package let payload: [UInt8]
        /// Where each event's payload ends in `payload`; the next begins there. Empty where there
        /// is one event, which ends where all ends.
        private let ends: [Int]

        /// Where the payload of an event ends, by its place.
        func end(_ place: Int) -> Int { ends.isEmpty ? payload.count : ends[place] }

        /// Where it begins.
        func start(_ place: Int) -> Int { place == 0 ? 0 : end(place - 1) }

        func range(_ place: Int) -> Range<Int> { start(place)..<end(place) }

        init(
            origin: EventOrigin, topic: String, time: WallTime, kind: OutboundEvent.Kind,
            data: ConnectionSpec.PublishData, delivery: EventDelivery, firstSequence: UInt64,
            payload: [UInt8], ends: [Int]
        ) {
            self.delivery = delivery
            self.origin = origin
            self.topic = topic
            self.time = time
            self.kind = kind
            self.data = data
            self.firstSequence = firstSequence
            self.payload = payload
            self.ends = ends
        }
    }

    private enum Content: Sendable {
        case block(Block)
        case note(LifecycleNote)
    }

    private let content: Content
    private var first: Int
    private var end: Int

    /// - Parameters:
    ///   - payload: The payloads, back to back.
    ///   - ends: Where each ends; at least one.
    package init(
        origin: EventOrigin, topic: String, time: WallTime, kind: OutboundEvent.Kind,
        data: ConnectionSpec.PublishData, delivery: EventDelivery = EventDelivery(),
        firstSequence: UInt64, payload: [UInt8], ends: [Int]
    ) {
        precondition(!ends.isEmpty && ends.last == payload.count, "a run without events")
        self.init(
            Block(
                origin: origin, topic: topic, time: time, kind: kind, data: data,
                delivery: delivery, firstSequence: firstSequence, payload: payload,
                ends: ends.count == 1 ? [] : ends),
            count: ends.count)
    }

    /// A run of one.
    package init(_ event: OutboundEvent, permit: (any PublishPermit)? = nil) {
        self.init(
            origin: EventOrigin(of: event, permit: permit), topic: event.topic, time: event.time,
            kind: event.kind, data: event.data,
            delivery: EventDelivery(attributes: event.attributeStyle),
            sequence: event.id.sequence, payload: event.payload)
    }

    /// A run of one.
    package init(
        origin: EventOrigin, topic: String, time: WallTime, kind: OutboundEvent.Kind,
        data: ConnectionSpec.PublishData = .auto, delivery: EventDelivery = EventDelivery(),
        sequence: UInt64, payload: [UInt8]
    ) {
        self.init(
            Block(
                origin: origin, topic: topic, time: time, kind: kind, data: data,
                delivery: delivery, firstSequence: sequence, payload: payload, ends: []),
            count: 1)
    }

    init(_ block: Block, count: Int = 1) {
        content = .block(block)
        first = 0
        end = count
    }

    /// A run of one that is not written yet.
    init(_ note: LifecycleNote) {
        content = .note(note)
        first = 0
        end = 1
    }

    /// What the events are made of. Of a lifecycle event it is made anew at each call.
    package var block: Block {
        switch content {
        case .block(let block): block
        case .note(let note): note.written
        }
    }

    /// The same events, written if they are not: for whoever needs ``block`` more than once.
    package var written: EventRun {
        guard case .note(let note) = content else { return self }
        return EventRun(note.written)
    }

    package var count: Int { end - first }

    /// Of the last event.
    package var lastSequence: UInt64 { sequence(at: count - 1) }

    package var bytes: Int {
        switch content {
        case .block(let block):
            block.end(end - 1) - block.start(first) + count * OutboundEvent.overhead
        case .note(let note): note.payloadBytes + OutboundEvent.overhead
        }
    }

    package func bytes(at index: Int) -> Int {
        switch content {
        case .block(let block):
            block.range(first + index).count + OutboundEvent.overhead
        case .note: bytes
        }
    }

    package func countWithin(_ limit: Int) -> Int {
        if bytes <= limit { return count }
        guard case .block(let block) = content else { return 0 }
        let start = block.start(first)
        // So many do, and so many do not.
        var (within, beyond) = (0, count)
        while within + 1 < beyond {
            let middle = (within + beyond) / 2
            let size = block.end(first + middle - 1) - start + middle * OutboundEvent.overhead
            if size <= limit { within = middle } else { beyond = middle }
        }
        return within
    }

    package func prefix(_ count: Int) -> EventRun {
        var run = self
        run.end = first + count
        return run
    }

    package mutating func removeFirst(_ count: Int) {
        first += count
    }

    /// Where the payload of an event lies in the block.
    package func payloadRange(at index: Int) -> Range<Int> {
        block.range(first + index)
    }

    package func sequence(at index: Int) -> UInt64 {
        switch content {
        case .block(let block): block.firstSequence + UInt64(first + index)
        case .note(let note): note.sequence
        }
    }

    /// Calls with the place and the payload of each event from `index` on, until told to stop.
    package func forEachPayload(
        from index: Int, while body: (Int, UnsafeBufferPointer<UInt8>) -> Bool
    ) {
        let block = block
        block.payload.withUnsafeBufferPointer { payload in
            var place = first + index
            var start = block.start(place)
            while place < end {
                let end = block.end(place)
                guard body(place - first, UnsafeBufferPointer(rebasing: payload[start..<end]))
                else { return }
                start = end
                place += 1
            }
        }
    }

    /// One event with a copy of its payload.
    package subscript(index: Int) -> OutboundEvent {
        let block = block
        let origin = block.origin
        var event = OutboundEvent(
            topic: block.topic, id: id(at: index, of: origin), type: origin.type,
            source: origin.source, subject: origin.subject, time: block.time,
            payload: Array(block.payload[block.range(first + index)]), kind: block.kind,
            attributes: origin.attributes)
        event.data = block.data
        event.attributeStyle = block.delivery.attributes
        return event
    }

    package func id(at index: Int) -> EventID { id(at: index, of: block.origin) }

    private func id(at index: Int, of origin: EventOrigin) -> EventID {
        EventID(uid: origin.uid, epoch: origin.epoch, sequence: sequence(at: index))
    }
}

// MARK: What a bus looks at before anything is written

extension EventRun {
    package var topic: String {
        switch content {
        case .block(let block): block.topic
        case .note: LifecycleEvent.topic
        }
    }

    package var delivery: EventDelivery {
        switch content {
        case .block(let block): block.delivery
        case .note: LifecycleNote.delivery
        }
    }

    /// Tells apart what has an order of its own: the uid of the events' ids.
    package var uid: ConnectionUID {
        switch content {
        case .block(let block): block.origin.uid
        case .note(let note): note.uid.ofLifecycleEvents
        }
    }

    /// The connection, or what else the events are about.
    package var source: String {
        switch content {
        case .block(let block): block.origin.source
        case .note: LifecycleEvent.source
        }
    }

    package var permit: (any PublishPermit)? {
        switch content {
        case .block(let block): block.origin.permit
        case .note(let note): note.permit
        }
    }

    /// Whether it may go out at this moment: asked by a bus as the last thing before it publishes.
    package var mayPublish: Bool { permit?.mayAct ?? true }
}

extension [EventRun] {
    package var messageCount: Int { reduce(0) { $0 + $1.count } }

    /// Every event, with a copy of its payload.
    package var events: [OutboundEvent] {
        flatMap { run in (0..<run.count).map { run[$0] } }
    }
}

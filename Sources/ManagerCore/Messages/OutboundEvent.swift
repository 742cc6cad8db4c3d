package import Spec

/// One message or lifecycle event on its way to the bus: the attributes of a CloudEvent, and the
/// bytes that were received.
///
/// The strings are shared by all events of a connection and copied by reference; what is new with
/// each message is the id's sequence, the time and the payload.
package struct OutboundEvent: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// A text message; its payload is valid UTF-8, as the WebSocket layer has checked.
        case text
        /// A binary message.
        case binary
        /// JSON that this program wrote; published as JSON whatever `publish.data` says.
        case json
    }

    /// An extension attribute of CloudEvents; its name is of `a-z 0-9`.
    package struct Attribute: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// `type` of a message event.
    package static let messageType = "com.virtufin.websocketmanager.message"

    package var topic: String
    package var id: EventID
    package var type: String
    package var source: String
    package var subject: String?
    /// When the message was received, or the fact observed.
    package var time: WallTime
    package var payload: [UInt8]
    package var kind: Kind
    /// How a message is carried: `publish.data` of its connection.
    package var data: ConnectionSpec.PublishData = .auto
    /// `publish.attributes` of its connection.
    package var attributeStyle: ConnectionSpec.PublishAttributes = .cloudevents
    /// Written after the standard attributes, in this order; `epoch` and `sequence`, which the
    /// writer takes from ``id``, are not among them.
    package var attributes: [Attribute]

    package init(
        topic: String, id: EventID, type: String, source: String, subject: String? = nil,
        time: WallTime, payload: [UInt8], kind: Kind, attributes: [Attribute] = []
    ) {
        self.topic = topic
        self.id = id
        self.type = type
        self.source = source
        self.subject = subject
        self.time = time
        self.payload = payload
        self.kind = kind
        self.attributes = attributes
    }

    /// What the event counts for in buffers, in bytes: its payload and a flat share for the rest,
    /// so that a flood of empty messages is bounded too.
    package var bufferedBytes: Int { payload.count + Self.overhead }

    /// About the size of the struct and its queue entry.
    package static let overhead = 256
}

/// What all messages of one connection and one epoch have in common. A class, so that the events
/// of a read hold it by one reference.
package final class EventOrigin: Sendable {
    package let epoch: UInt64
    package let type: String
    /// `nil`: they may always go out.
    package let permit: (any PublishPermit)?
    private let owner: ConnectionUID
    private let naming: Naming

    private enum Naming: Sendable {
        case given(source: String, subject: String?, attributes: [OutboundEvent.Attribute])
        /// What follows from the name is made when it is asked for.
        case lifecycle(name: String, url: String)
    }

    /// - Parameter url: Without query, fragment and credentials; it is published.
    package convenience init(
        uid: ConnectionUID, epoch: UInt64, name: String, url: String,
        permit: (any PublishPermit)? = nil
    ) {
        self.init(
            uid: uid, epoch: epoch, type: OutboundEvent.messageType,
            source: "/connections/" + name, subject: nil,
            attributes: Self.attributes(name: name, url: url), permit: permit)
    }

    package init(
        uid: ConnectionUID, epoch: UInt64, type: String, source: String, subject: String?,
        attributes: [OutboundEvent.Attribute], permit: (any PublishPermit)?
    ) {
        self.permit = permit
        self.owner = uid
        self.epoch = epoch
        self.type = type
        self.naming = .given(source: source, subject: subject, attributes: attributes)
    }

    /// The origin of an event that stands alone.
    convenience init(of event: OutboundEvent, permit: (any PublishPermit)?) {
        self.init(
            uid: event.id.uid, epoch: event.id.epoch, type: event.type, source: event.source,
            subject: event.subject, attributes: event.attributes, permit: permit)
    }

    /// The origin of a lifecycle event.
    init(of event: LifecycleEvent, uid: ConnectionUID, permit: any PublishPermit) {
        self.permit = permit
        self.owner = uid
        self.epoch = permit.epoch
        self.type = event.type
        self.naming = .lifecycle(name: event.connectionID, url: event.url)
    }

    package var uid: ConnectionUID {
        if case .lifecycle = naming { owner.ofLifecycleEvents } else { owner }
    }

    /// Of messages `/connections/<name>`.
    package var source: String {
        switch naming {
        case .given(let source, _, _): source
        case .lifecycle: LifecycleEvent.source
        }
    }

    package var subject: String? {
        switch naming {
        case .given(_, let subject, _): subject
        case .lifecycle(let name, _): LifecycleEvent.subject(of: name)
        }
    }

    /// `websocketid` (the name) and `websocketurl`.
    package var attributes: [OutboundEvent.Attribute] {
        switch naming {
        case .given(_, _, let attributes): attributes
        case .lifecycle(let name, let url): Self.attributes(name: name, url: url)
        }
    }

    private static func attributes(name: String, url: String) -> [OutboundEvent.Attribute] {
        [.init("websocketid", name), .init("websocketurl", url)]
    }

    /// The event of one received message.
    package func message(
        sequence: UInt64, topic: String, time: WallTime, payload: [UInt8], kind: OutboundEvent.Kind
    ) -> OutboundEvent {
        OutboundEvent(
            topic: topic, id: EventID(uid: uid, epoch: epoch, sequence: sequence),
            type: OutboundEvent.messageType, source: source, time: time, payload: payload,
            kind: kind, attributes: attributes)
    }
}

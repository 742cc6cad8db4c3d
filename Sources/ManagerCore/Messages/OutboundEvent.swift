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
    package let uid: ConnectionUID
    package let epoch: UInt64
    package let type: String
    /// `/connections/<name>`.
    package let source: String
    package let subject: String?
    /// `websocketid` (the name) and `websocketurl`.
    package let attributes: [OutboundEvent.Attribute]
    /// `nil`: they may always go out.
    package let permit: (any PublishPermit)?

    /// - Parameter url: Without query, fragment and credentials; it is published.
    package init(
        uid: ConnectionUID, epoch: UInt64, name: String, url: String,
        permit: (any PublishPermit)? = nil
    ) {
        self.permit = permit
        self.uid = uid
        self.epoch = epoch
        self.type = OutboundEvent.messageType
        self.source = "/connections/" + name
        self.subject = nil
        self.attributes = [.init("websocketid", name), .init("websocketurl", url)]
    }

    package init(
        uid: ConnectionUID, epoch: UInt64, type: String, source: String, subject: String?,
        attributes: [OutboundEvent.Attribute], permit: (any PublishPermit)?
    ) {
        self.permit = permit
        self.uid = uid
        self.epoch = epoch
        self.type = type
        self.source = source
        self.subject = subject
        self.attributes = attributes
    }

    /// The origin of an event that stands alone.
    init(of event: OutboundEvent, permit: (any PublishPermit)?) {
        self.permit = permit
        self.uid = event.id.uid
        self.epoch = event.id.epoch
        self.type = event.type
        self.source = event.source
        self.subject = event.subject
        self.attributes = event.attributes
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

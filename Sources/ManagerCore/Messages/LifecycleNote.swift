/// A lifecycle event as it waits for a bus and lies in the ring: what there is to tell, not yet
/// written.
///
/// Thousands lie there and hardly one is read, so the JSON and the attributes of the event are made
/// for whoever reads it. Its texts are those of the connection.
final class LifecycleNote: Sendable {
    static let delivery = EventDelivery()

    /// Of the connection.
    let uid: ConnectionUID
    let sequence: UInt64
    let permit: any PublishPermit
    private let time: WallTime
    // The event itself, without what is nearly always zero.
    private let connectionID: String
    private let url: String
    private let instanceID: String
    private let kind: LifecycleEvent.Kind

    init(
        _ event: LifecycleEvent, uid: ConnectionUID, sequence: UInt64, time: WallTime,
        permit: any PublishPermit
    ) {
        self.uid = uid
        self.sequence = sequence
        self.permit = permit
        self.time = time
        connectionID = event.connectionID
        url = event.url
        instanceID = event.instanceID
        kind = event.kind
    }

    private var event: LifecycleEvent {
        LifecycleEvent(connectionID: connectionID, url: url, instanceID: instanceID, kind: kind)
    }

    /// What its payload counts for. It holds less itself.
    var payloadBytes: Int { event.dataBytes }

    /// What its one event is made of.
    var written: EventRun.Block {
        event.block(uid: uid, sequence: sequence, time: time, permit: permit)
    }
}

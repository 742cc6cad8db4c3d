internal import ManagerAPI
internal import Spec

extension ObjectReport {
    var records: [Record] {
        objects.map { Record(type: "object", object: $0.label, fields: Self.json($0)) }
    }

    /// The stable shape of one object with `get -o json`.
    static func json(_ object: Wsm_V1_Object) -> JSONValue {
        var item = JSONObjectBuilder()
        item.text("kind", object.kind)
        item.text("name", object.name)
        item.textIfAny("set", object.set)
        item.textIfAny("connectionSet", object.connectionSet)
        item.textIfAny("phase", object.phase)
        item.bool("ready", object.ready)
        item.bool("firstMessage", object.firstMessage)
        item.bool("stalled", object.stalled)
        item.textIfAny("reason", object.reason)
        item.textIfAny("message", object.message)
        item.textIfAny("url", object.url)
        item.textIfAny("topic", object.topic)
        item.number("received", object.received)
        item.number("published", object.published)
        item.number("dropped", object.dropped)
        item.number("generation", object.generation)
        item.number("observedGeneration", object.observedGeneration)
        item.timeIfAny("connectedAt", object.connectedAt)
        item.number("attempt", object.attempt)
        item.timeIfAny("nextAttemptAt", object.nextAttemptAt)
        item.textIfAny("lastError", object.lastError)
        if let manifest = try? JSONValue.parse([UInt8](object.json)) {
            item.value("manifest", manifest)
        }
        return item.object
    }
}

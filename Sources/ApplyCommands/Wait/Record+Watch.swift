internal import ManagerAPI
internal import Spec

extension Record {
    /// A change of a connection that is awaited; `nil` for what is no change.
    init?(_ change: Wsm_V1_WatchChange) {
        let action: String
        switch change.action {
        case .present: action = "present"
        case .changed: action = "changed"
        case .deleted: action = "deleted"
        case .synced, .unspecified, .UNRECOGNIZED: return nil
        }
        let seen = change.object
        var fields = JSONObjectBuilder()
        fields.text("action", action)
        fields.textIfAny("phase", seen.phase)
        fields.bool("ready", seen.ready)
        fields.bool("firstMessage", seen.firstMessage)
        fields.bool("stalled", seen.stalled)
        fields.textIfAny("reason", seen.reason)
        fields.textIfAny("message", seen.message)
        fields.textIfAny("lastError", seen.lastError)
        fields.number("attempt", seen.attempt)
        self.init(
            level: seen.stalled ? .warning : .info, type: "progress", object: seen.label,
            fields: fields.object)
    }
}

import ManagerCore
import Spec

/// What a connection's declaration says of its messages, in the form in which each read needs it.
struct MessageOutlet {
    /// `nil`: messages are counted and go nowhere.
    var topic: String?
    var delivery: EventDelivery
    var data: ConnectionSpec.PublishData

    init(_ desired: DesiredConnection) {
        topic = desired.effectiveTopic
        data = desired.spec.publish.data
        delivery = EventDelivery(desired.spec.publish)
    }
}

import GRPCCore
import NIOCore

/// One call and the task that waits for its answer.
///
/// `@unchecked Sendable`: the mutable properties are touched on the client's event loop only.
final class PendingCall: @unchecked Sendable {
    typealias Answer = CallConnection<PendingCall>.Answer

    enum Place {
        case none
        case waiting
        case open(CallHandler, stream: UInt32)
    }

    let method: CallMethod
    let deadline: NIODeadline
    var message: ByteBuffer
    var place = Place.none
    /// The task gave it up before the loop heard of it.
    var isCancelled = false
    private var tell: ((Answer) -> Void)?

    init(_ method: CallMethod, _ message: ByteBuffer, deadline: NIODeadline) {
        self.method = method
        self.message = message
        self.deadline = deadline
    }

    func isAwaited(_ tell: @escaping (Answer) -> Void) {
        self.tell = tell
    }

    /// Ends it; only the first answer counts.
    func answer(_ answer: Answer) {
        place = .none
        message = ByteBuffer()
        tell?(answer)
        tell = nil
    }
}

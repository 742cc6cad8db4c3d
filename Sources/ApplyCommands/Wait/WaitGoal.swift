internal import ManagerAPI

/// What `--wait` waits for.
enum WaitGoal: String, CaseIterable, Sendable {
    /// Owned, upgraded, `onOpen` written, its topic accepted, on the generation applied.
    case ready = "Ready"
    /// Ready, and one message of the present socket is with the bus.
    case firstMessage = "FirstMessage"

    /// In any case of letters.
    init?(text: String) {
        let wanted = text.lowercased()
        guard let goal = Self.allCases.first(where: { $0.rawValue.lowercased() == wanted }) else {
            return nil
        }
        self = goal
    }

    func isReached(by object: Wsm_V1_Object) -> Bool {
        switch self {
        case .ready: object.ready
        case .firstMessage: object.ready && object.firstMessage
        }
    }

    /// `3 connections are Ready`.
    func sentence(_ count: Int) -> String {
        switch self {
        case .ready: "\(count.counted("connection")) \(count == 1 ? "is" : "are") Ready"
        case .firstMessage:
            "\(count.counted("connection")) \(count == 1 ? "has its" : "have their") first message"
        }
    }
}

internal import ArgumentParser
internal import ManagerAPI

/// What `--wait` waits for.
enum WaitGoal: String, CaseIterable, Sendable {
    /// Owned, upgraded, `onOpen` written, its topic accepted, on the generation applied.
    case ready = "Ready"
    /// Ready, and one message of the present socket is with the bus.
    case firstMessage = "FirstMessage"
    /// It is not there any more, or never was.
    case deleted

    /// In any case of letters.
    init?(text: String) {
        let wanted = text.lowercased()
        guard let goal = Self.allCases.first(where: { $0.rawValue.lowercased() == wanted }) else {
            return nil
        }
        self = goal
    }

    /// For `3 of 7 connections not …`.
    var word: String {
        switch self {
        case .ready: "Ready"
        case .firstMessage: "at their first message"
        case .deleted: "deleted"
        }
    }

    func isReached(by object: Wsm_V1_Object) -> Bool {
        switch self {
        case .ready: object.ready
        case .firstMessage: object.ready && object.firstMessage
        case .deleted: false
        }
    }

    /// `3 connections are Ready`.
    func sentence(_ count: Int) -> String {
        switch self {
        case .ready: "\(count.counted("connection")) \(count == 1 ? "is" : "are") Ready"
        case .firstMessage:
            "\(count.counted("connection")) \(count == 1 ? "has its" : "have their") first message"
        case .deleted: "\(count.counted("connection")) \(count == 1 ? "is" : "are") deleted"
        }
    }
}

extension WaitGoal: ExpressibleByArgument {
    init?(argument: String) { self.init(text: argument) }
}

import NIOCore

/// How the server behaves on one connection.
struct FeedScript {
    var upgradeDelay: TimeAmount = .zero
    var subprotocol: String?
    /// Frames that share the write of the 101.
    var firstFrames: (inout ByteBuffer) -> Void = { _ in }
    var opened: (FeedSession) -> Void = { _ in }
    var received: (FeedSession, FeedMessage) -> Void = { _, _ in }
    var answersPings = true
    var answersClose = true
    var reads = true
}

/// How the server answers a request.
enum FeedAnswer {
    case upgrade(FeedScript)
    case status(Int, String, [(String, String)])
    case hang
}

/// One path the server offers.
package struct FeedPath: Sendable {
    package let path: String
    /// The query parameters with their defaults; empty when there are none.
    package let parameters: String
    package let summary: String
    let answer: @Sendable (FeedRequest) -> FeedAnswer

    /// In the order they are shown.
    package static let all: [FeedPath] =
        Self.feeds + Self.answers + Self.shapes + Self.faults
        + Self.handshakes

    static func script(
        _ path: String,
        _ parameters: String,
        _ summary: String,
        _ make: @escaping @Sendable (FeedRequest) -> FeedScript
    ) -> FeedPath {
        FeedPath(path: path, parameters: parameters, summary: summary) { .upgrade(make($0)) }
    }
}

import Testing

@testable import WebSocket

struct ServerIdentityTests {
    @Test(arguments: [
        ("feed.test", "feed.test"), ("FEED.test", "feed.TEST"), ("feed.test.", "feed.test"),
        ("*.feed.test", "a.feed.test"), ("*.feed.test", "A.Feed.test."),
    ])
    func stands(_ example: (pattern: String, name: String)) {
        #expect(ServerIdentity.matches(example.pattern, example.name))
    }

    @Test(arguments: [
        ("feed.test", "a.feed.test"), ("*.feed.test", "feed.test"),
        ("*.feed.test", "a.b.feed.test"),
        ("*.test", "feed.test"), ("*", "test"), ("f*.feed.test", "fa.feed.test"), ("", "feed.test"),
        ("a.*.test", "a.b.test"),
    ])
    func doesNotStand(_ example: (pattern: String, name: String)) {
        #expect(!ServerIdentity.matches(example.pattern, example.name))
    }
}

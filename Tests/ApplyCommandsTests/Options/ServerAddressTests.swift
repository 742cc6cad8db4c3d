import Spec
import Testing

@testable import ApplyCommands

struct ServerAddressTests {
    @Test(arguments: [
        ("localhost:5002", "localhost", 5002), ("10.0.0.1", "10.0.0.1", 5002),
        ("[::1]:7000", "::1", 7000), ("[::1]", "::1", 5002),
        ("a.example.com:1", "a.example.com", 1),
    ])
    func readsHostAndPort(_ text: String, _ host: String, _ port: Int) {
        #expect(ServerAddress(text) == ServerAddress(host: host, port: port))
    }

    @Test(arguments: [
        "", ":5002", "a:", "a:0", "a:65536", "a:+1", "::1", "http://a", "a b:1", "[::1]x", "[]:1",
    ])
    func refusesWhatIsNone(_ text: String) {
        #expect(ServerAddress(text) == nil)
    }

    @Test func printsAsItIsWritten() {
        #expect(ServerAddress(host: "::1", port: 5).description == "[::1]:5")
        #expect(ServerAddress.standard.description == "127.0.0.1:5002")
    }
}

struct ObjectArgumentsTests {
    @Test func aLeadingTypeIsThatOfTheNames() throws {
        let sets = try ObjectArguments(["ConnectionSets", "a", "connection/b"])
        #expect(sets.kind == .connectionSet)
        #expect(sets.references.map(\.label) == ["connectionset/a", "connection/b"])
        let bare = try ObjectArguments(["a"])
        #expect(bare.kind == nil)
        #expect(bare.references.map(\.label) == ["connection/a"])
    }

    @Test func withAKindGivenATypeWordIsAName() throws {
        let arguments = try ObjectArguments(["connections"], kind: .connection)
        #expect(arguments.references.map(\.name) == ["connections"])
    }
}

import ManagerCore
import TestKit
import Testing

@Suite struct JSONTextEditTests {
    private func insert(_ value: String, _ path: String, in text: String) throws -> String? {
        let path = try JSONRoute(path)
        let bytes = Array(text.utf8)
        guard case .absent(let insertion) = JSONText.locate(path, in: bytes) else { return nil }
        let edited = JSONText.inserting(Array(value.utf8), at: path, insertion, in: bytes)
        return String(decoding: edited, as: UTF8.self)
    }

    @Test(arguments: [
        ("{}", "id", #"{"id":7}"#), (#"{ "a" : 1 }"#, "id", #"{"id":7, "a" : 1 }"#),
        ("{}", "a.b.c", #"{"a":{"b":{"c":7}}}"#), (#"{"a":{}}"#, "a.id", #"{"a":{"id":7}}"#),
        (#"{"a":{"x":[]},"z":0}"#, "a.b.id", #"{"a":{"b":{"id":7},"x":[]},"z":0}"#),
        (#"{"a":[{"x":1}]}"#, "a.0.id", #"{"a":[{"id":7,"x":1}]}"#), ("{}", "\"", #"{"\"":7}"#),
    ])
    func aMissingMemberIsAdded(text: String, path: String, edited: String) throws {
        #expect(try insert("7", path, in: text) == edited)
    }

    @Test(arguments: [
        (#"{"id":7}"#, "id", "{}"), (#"{"id":7,"a":1}"#, "id", #"{"a":1}"#),
        (#"{"a":1,"id":7}"#, "id", #"{"a":1}"#), (#"{"a":1 , "id" : 7 }"#, "id", #"{"a":1  }"#),
        (#"{"a":1,"id":7,"b":2}"#, "id", #"{"a":1,"b":2}"#), (#"{ "id":7 }"#, "id", "{  }"),
        (#"{"a":{"id":7}}"#, "a.id", #"{"a":{}}"#), ("[7]", "0", "[7]"),
    ])
    func aMemberIsTakenOutWithItsComma(text: String, path: String, edited: String) throws {
        let path = try JSONRoute(path)
        let bytes = Array(text.utf8)
        guard case .found(let location) = JSONText.locate(path, in: bytes) else {
            Issue.record("not found")
            return
        }
        let left = JSONText.removing(location, from: bytes)
        #expect(String(decoding: left, as: UTF8.self) == edited)
    }

    @Test func onlyTheParentsThatWereMadeAreTakenOutAgain() throws {
        let path = try JSONRoute("a.b.id")
        func remove(_ text: String, keeping parts: Int) -> String {
            let left = JSONText.removing(path, keepingParts: parts, from: Array(text.utf8))
            return String(decoding: left, as: UTF8.self)
        }
        #expect(remove(#"{"a":{"b":{"id":7}},"z":0}"#, keeping: 0) == #"{"z":0}"#)
        #expect(remove(#"{"a":{"b":{"id":7}},"z":0}"#, keeping: 1) == #"{"a":{},"z":0}"#)
        #expect(remove(#"{"a":{"b":{"id":7}},"z":0}"#, keeping: 2) == #"{"a":{"b":{}},"z":0}"#)
        #expect(remove(#"{"a":{"b":{"id":7,"r":1}}}"#, keeping: 0) == #"{"a":{"b":{"r":1}}}"#)
        #expect(remove(#"{"z":0}"#, keeping: 0) == #"{"z":0}"#)
    }

    @Test func replacingLeavesEveryOtherByte() throws {
        let path = try JSONRoute("p.id")
        let bytes = Array("{ \"p\" :\t{\"id\" :  \"x\"\n}, \"id\":1e5 }".utf8)
        guard case .found(let location) = JSONText.locate(path, in: bytes) else {
            Issue.record("not found")
            return
        }
        let edited = JSONText.replacing(location, in: bytes, with: Array("[]".utf8))
        let text = String(decoding: edited, as: UTF8.self)
        #expect(text == "{ \"p\" :\t{\"id\" :  []\n}, \"id\":1e5 }")
    }

    /// Adding and taking out again gives the bytes there were, for random objects and paths.
    @Test(arguments: UInt64(1)...30) func takingOutUndoesAdding(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let text = randomObject(depth: 0, using: &generator)
            let parts = (0...Int.random(in: 0...2, using: &generator)).map { _ in
                ["a", "b", "c"].randomElement(using: &generator) ?? "a"
            }
            let path = try JSONRoute(parts.joined(separator: "."))
            let bytes = Array(text.utf8)
            guard case .absent(let insertion) = JSONText.locate(path, in: bytes) else {
                continue
            }
            let added = JSONText.inserting(Array("7".utf8), at: path, insertion, in: bytes)
            guard case .found = JSONText.locate(path, in: added) else {
                Issue.record("seed \(seed): lost in \(text)")
                return
            }
            let removed = JSONText.removing(
                path, keepingParts: insertion.existingParts, from: added)
            #expect(removed == bytes, "seed \(seed): \(text)")
        }
    }

    private func randomObject(depth: Int, using generator: inout SplitMix64) -> String {
        let blanks = ["", " ", "\n\t"]
        func blank() -> String { blanks.randomElement(using: &generator) ?? "" }
        let keys = ["a", "b", "c", "d"].shuffled(using: &generator)
            .prefix(Int.random(in: 0...3, using: &generator))
        var members: [String] = []
        for key in keys {
            let value =
                depth < 3 && Bool.random(using: &generator)
                ? randomObject(depth: depth + 1, using: &generator) : "[1,\"}\"]"
            members.append(blank() + "\"\(key)\"" + blank() + ":" + blank() + value + blank())
        }
        return "{" + (members.isEmpty ? blank() : members.joined(separator: ",")) + "}"
    }
}

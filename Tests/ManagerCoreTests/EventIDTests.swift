import ManagerCore
import TestKit
import Testing

@Suite struct EventIDTests {
    @Test func theTextFormIsReadBack() throws {
        let uid = try #require(ConnectionUID(rawValue: "7b1c-a"))
        let id = EventID(uid: uid, epoch: 3, sequence: .max)
        #expect(id.description == "7b1c-a.3.18446744073709551615")
        #expect(EventID(id.description) == id)
    }

    @Test(arguments: [
        "", "a", "a.1", "a.1.2.3", ".1.2", "a..2", "a.1.", "a.01.2", "a.+1.2", "a.-1.2",
        "a.1.18446744073709551616", "a b.1.2", "a/b.1.2", "ä.1.2",
    ])
    func otherTextsAreNoIDs(text: String) {
        #expect(EventID(text) == nil)
    }

    @Test func aRandomUIDIsAUUIDOfVersion4() {
        var generator = SplitMix64(seed: 9)
        for _ in 0..<100 {
            let text = ConnectionUID.random(using: &generator).rawValue
            let groups = text.split(separator: "-").map(\.utf8.count)
            #expect(groups == [8, 4, 4, 4, 12])
            #expect(Array(text)[14] == "4")
            #expect("89ab".contains(Array(text)[19]))
            #expect(text == text.lowercased())
        }
    }

    /// A UUID is kept as two words; what is not spelled as we spell it stays text.
    @Test(arguments: [
        "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-AABBCCDDEEFF",
        "00112233-4455-6677-8899-aabbccddeeff-lifecycle", "a", "UID-1",
    ])
    func aUIDIsSpelledAsItWasGiven(text: String) throws {
        let uid = try #require(ConnectionUID(rawValue: text))
        #expect(uid.rawValue == text)
        #expect(ConnectionUID(rawValue: text) == uid)
        var bytes: [UInt8] = []
        uid.appendText(to: &bytes)
        #expect(bytes == Array(text.utf8))
        let others = ["00112233-4455-6677-8899-aabbccddeefe", text + "0", text.uppercased() + "A"]
        for other in others { #expect(ConnectionUID(rawValue: other) != uid) }
        #expect(EventID("\(text).1.2")?.uid == uid)
    }

    @Test func sixteenBytesAndTextAreTheSameUUID() throws {
        let text = "00112233-4455-6677-8899-aabbccddeeff"
        let uuid = try #require(UUIDBytes(text: text.utf8))
        #expect(uuid.description == text)
        #expect(UUIDBytes(text: text.uppercased().utf8) == uuid)
        var bytes: [UInt8] = []
        uuid.append(to: &bytes)
        #expect(bytes == (0..<16).map { UInt8($0 * 0x11) })
        #expect(UUIDBytes(prefixOf: bytes + [1, 2]) == uuid)
        #expect(UUIDBytes(prefixOf: bytes.dropLast()) == nil)
    }

    @Test(arguments: [
        "", "00112233-4455-6677-8899-aabbccddeef", "00112233-4455-6677-8899-aabbccddeeff0",
        "0011223344556677-8899-aabbccddeeff--", "g0112233-4455-6677-8899-aabbccddeeff",
    ])
    func otherTextsAreNoUUIDs(text: String) {
        #expect(UUIDBytes(text: text.utf8) == nil)
    }
}

import Testing

@testable import Gateway

struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func agreesWithTheStandardsExamples(_ plain: String, _ text: String) {
        var out: [UInt8] = []
        Base64.encode(plain.utf8, to: &out)
        #expect(String(decoding: out, as: UTF8.self) == text)
        #expect(Base64.decode(text.utf8) == Array(plain.utf8))
        #expect(Base64.decode(text.filter { $0 != "=" }.utf8) == Array(plain.utf8))
    }

    @Test func bringsBackEveryByte() {
        for count in 0...8 {
            for first in UInt8.min...UInt8.max {
                let bytes = (0..<count).map { first &+ UInt8($0) &* 37 }
                var text: [UInt8] = []
                Base64.encode(bytes, to: &text)
                #expect(Base64.decode(text) == bytes)
            }
        }
    }

    @Test func readsTheAlphabetOfURLs() {
        #expect(Base64.decode("-_8".utf8) == [0xFB, 0xFF])
        #expect(Base64.decode("+/8=".utf8) == [0xFB, 0xFF])
    }

    @Test(arguments: ["Z", "Zg=", "Zg===", "Z g==", "Zg==Zg==", "====", "Zm9v=", "ä"])
    func refusesEverythingElse(_ text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }
}

import GRPCCore
import Testing

@testable import Access

struct CallerTests {
    private func metadata(_ pairs: [(key: String, value: String)]) -> Metadata {
        var metadata = Metadata()
        for (key, value) in pairs { metadata.addString(value, forKey: key) }
        return metadata
    }

    @Test(arguments: ["deploy", "", "Ada Lovelace, \u{1F980}", "a b\r\nc: d", "100%"])
    func comesBackFromItsMetadata(name: String) {
        let caller = Caller(name: name, role: .read, means: .certificate, address: "[::1]:80")
        #expect(Caller(metadata: metadata(caller.metadata)) == caller)
        for (_, value) in caller.metadata {
            #expect(value.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) })
        }
    }

    @Test func metadataThatIsNotWholeIsNobody() {
        let caller = Caller(name: "a", role: .admin, means: .token, address: "x")
        #expect(Caller(metadata: [:]) == nil)
        #expect(Caller(metadata: metadata(caller.metadata + caller.metadata)) == nil)
        for broken in ["", "zz", "61646d696e", caller.metadata[0].value + " 00"] {
            #expect(Caller(metadata: metadata([(Caller.metadataKey, broken)])) == nil)
        }
    }

    @Test func attributionNamesWhoWasProven() {
        #expect(Caller.attribution(of: "ada@lab") == "ada@lab")
        let token = Caller(name: "deploy", role: .admin, means: .token, address: "x")
        Caller.$current.withValue(token) {
            #expect(Caller.attribution(of: "ada@lab") == "deploy (ada@lab)")
            #expect(Caller.attribution(of: "") == "deploy")
        }
        Caller.$current.withValue(.anonymous(.admin, at: "x")) {
            #expect(Caller.attribution(of: "ada@lab") == "ada@lab")
        }
    }
}

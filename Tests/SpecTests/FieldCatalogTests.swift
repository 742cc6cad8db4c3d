import Testing

@testable import Spec

struct FieldCatalogTests {
    @Test(arguments: [
        ("Connection", "Connection", ""),
        ("connection.spec.keepalive", "Connection", "spec.keepalive"),
        ("keepalive.pingInterval", "Connection", "spec.keepalive.pingInterval"),
        ("spec.tls", "Connection", "spec.tls"),
        ("onOpen[].text", "Connection", "spec.onOpen.text"),
        ("onOpen[0].base64", "Connection", "spec.onOpen.base64"),
        ("metadata.uid", "Connection", "metadata.uid"),
        ("metadata.managers", "Connection", "metadata.managers"),
        (
            "metadata.annotations[wsm.virtufin.com/prune]", "Connection",
            "metadata.annotations[wsm.virtufin.com/prune]"
        ),
        ("status", "Connection", "status"),
        ("matrix", "ConnectionSet", "spec.matrix"),
        ("template.metadata.annotations", "ConnectionSet", "spec.template.metadata.annotations"),
        ("connectionsets.spec.template.spec.url", "ConnectionSet", "spec.template.spec.url"),
    ])
    func findsAFieldByName(_ name: String, _ kind: String, _ path: String) throws {
        let match = try FieldCatalog.find(name)
        #expect(match.kind.rawValue == kind)
        #expect(match.entry.path == path)
    }

    @Test(arguments: [
        ("keepalive.pingIntervall", "keepalive.pingInterval"),
        ("pingInterval", "keepalive.pingInterval"),
        ("spec.keepalive.pingIntervall", "keepalive.pingInterval"),
        ("Connection.spec.topik", "topic"), ("conection", "Connection"), ("matrx", "matrix"),
    ])
    func namesTheNearestField(_ name: String, _ near: String) {
        #expect {
            _ = try FieldCatalog.find(name)
        } throws: { error in
            "\(error)".contains("\"\(name)\" is no field (did you mean ")
                && "\(error)".contains(near)
        }
    }

    @Test func whatIsNearNothingGetsNoSuggestion() {
        #expect(throws: SyntaxProblem("\"zzzzzzzz\" is no field")) {
            _ = try FieldCatalog.find("zzzzzzzz")
        }
    }

    @Test func everyFieldOfTheTableIsThereWithAllThatIsKnown() throws {
        for field in FieldTable.fields {
            let entry = try FieldCatalog.find(field.path).entry
            #expect(entry.path == "spec." + field.path)
            #expect(entry.summary == field.summary)
            #expect(entry.editText == field.edit.word)
            #expect(entry.example != nil)
        }
    }

    @Test func everyPlaceHasASentence() {
        for match in FieldCatalog.kinds {
            for entry in match.entry.flattened {
                #expect(entry.summary.hasSuffix("."), "\(match.kind) \(entry.path)")
            }
        }
    }

    @Test func everyNameCanBeFound() throws {
        #expect(FieldCatalog.names.count > 60)
        for name in FieldCatalog.names { _ = try FieldCatalog.find(name) }
    }
}

import Spec
import Testing

@testable import Manager

struct ReaderViewTests {
    private func masked(_ json: String) throws -> JSONValue {
        let bytes = try #require(ReaderView.masked(Array(json.utf8)))
        return try JSONValue.parse(bytes)
    }

    private static let connection = """
        {"apiVersion":"wsm.virtufin.com/v1","kind":"Connection","metadata":{"name":"a"},
        "spec":{"url":"wss://h.example/ws?apiKey=S3CRET","topic":"t",
        "headers":{"Authorization":"Bearer S3CRET","X-From":{"valueFrom":{"env":"WSM_SECRET_A"}}},
        "onOpen":[{"text":"{\\"auth\\":\\"S3CRET\\"}"},{"base64":"UzNDUkVU"}]},
        "status":{"phase":"Connected"}}
        """

    @Test func aReaderSeesThatSomethingIsThereNotWhat() throws {
        let object = try masked(Self.connection)
        let text = String(decoding: object.serialized(), as: UTF8.self)
        #expect(!text.contains("S3CRET") && !text.contains("UzNDUkVU"))
        #expect(object["spec"]?["url"] == .string("wss://h.example/ws?#hidden"))
        #expect(object["spec"]?["headers"]?["Authorization"] == ReaderView.hiddenValue)
        // A reference is no secret, and tells where to look.
        #expect(
            object["spec"]?["headers"]?["X-From"]?["valueFrom"]?["env"]
                == .string("WSM_SECRET_A"))
        #expect(object["spec"]?["topic"] == .string("t"))
        #expect(object["status"]?["phase"] == .string("Connected"))
    }

    @Test func whatAReaderSawCannotBeAppliedWithTheCredentialsLost() throws {
        for spec in [
            "\"url\":\"ws://h/?k=v\"",
            "\"url\":\"ws://h/\",\"headers\":{\"A\":\"b\"}",
            "\"url\":\"ws://h/\",\"onOpen\":[{\"text\":\"hello\"}]",
        ] {
            let json = """
                {"apiVersion":"wsm.virtufin.com/v1","kind":"Connection","metadata":{"name":"a"},\
                "spec":{\(spec)}}
                """
            #expect(!ManifestCompiler.compileJSON(Array(json.utf8), name: "a").hasErrors)
            let seen = try #require(ReaderView.masked(Array(json.utf8)))
            #expect(ManifestCompiler.compileJSON(seen, name: "a").hasErrors)
        }
    }

    @Test func withoutCredentialsNothingChanges() throws {
        let json = """
            {"kind":"Connection","metadata":{"name":"a"},"spec":{"url":"ws://h/p","topic":"t"}}
            """
        #expect(try masked(json) == JSONValue.parse(Array(json.utf8)))
    }

    @Test func aVariableUsedInHiddenPlacesOnlyIsHiddenWithThem() throws {
        let object = try masked(
            """
            {"kind":"ConnectionSet","metadata":{"name":"s"},"spec":{
            "list":[{"venue":"x","key":"S3CRET-1","both":"y"},{"venue":"z","key":"S3CRET-2"}],
            "name":"{{venue}}-feed","template":{"metadata":{"labels":{"b":"{{both|upper}}"}},
            "spec":{"url":"ws://h/{{venue}}?k={{key}}","headers":{"K":"{{key}} {{both}}"}}}}}
            """)
        let text = String(decoding: object.serialized(), as: UTF8.self)
        #expect(!text.contains("S3CRET"))
        let spec = object["spec"]
        guard case .array(let rows)? = spec?["list"] else {
            Issue.record("no list")
            return
        }
        #expect(rows[0]["venue"] == .string("x"))
        #expect(rows[0]["key"] == ReaderView.hiddenValue)
        #expect(rows[0]["both"] == .string("y"))
        #expect(spec?["template"]?["spec"]?["url"] == .string("ws://h/{{venue}}?#hidden"))
    }

    @Test(arguments: ["{{url}}", "wss://h/{{ path }}{{key}}"])
    func aVariableThatBringsTheQueryIsHiddenWithIt(_ template: String) throws {
        let set = """
            {"kind":"ConnectionSet","spec":{"name":"c-{{n}}","list":[{"n":"1",\
            "url":"ws://h/ws?token=SECRET","path":"ws?token=","key":"SECRET"},\
            {"n":"2","url":"ws://h/plain","path":"plain","key":"open"}],\
            "template":{"spec":{"url":"\(template)"}}}}
            """
        let seen = String(decoding: try #require(ReaderView.masked(Array(set.utf8))), as: UTF8.self)
        #expect(!seen.contains("SECRET"))
        #expect(seen.contains("plain"))
    }

    @Test func theColumnOfAMatrixToo() throws {
        let object = try masked(
            """
            {"kind":"ConnectionSet","metadata":{"name":"s"},"spec":{
            "matrix":{"venue":["a","b"],"key":["S3CRET"]},"name":"{{venue}}",
            "template":{"spec":{"url":"ws://h/","headers":{"K":"{{key}}"}}}}}
            """)
        #expect(!String(decoding: object.serialized(), as: UTF8.self).contains("S3CRET"))
        #expect(object["spec"]?["matrix"]?["venue"] == .array([.string("a"), .string("b")]))
    }

    @Test(arguments: [
        ("headers", "x", true), ("onOpen", "x", true), ("url", "ws://h/?k=v", true),
        ("url", "ws://h/p", false), ("topic", "a?b", false), ("spec.list", "x", true),
        ("template.spec.headers[A]", "x", true), ("keepalive.pingInterval", "1s", false),
    ])
    func editsOfTheSameFieldsAreHidden(path: String, value: String, isHidden: Bool) {
        #expect(ReaderView.hides(path, value: value) == isHidden)
    }
}

import Testing

@testable import Gateway

struct OpenAPIDocumentTests {
    let schema: ProtoSchema
    let table: RouteTable
    let document: JSONValue

    init() throws {
        schema = try .committed()
        table = try RouteTable(schema)
        document = OpenAPIDocument(schema: schema, routes: table).value
    }

    @Test func everyRouteAndPageIsInIt() {
        for route in table.routes {
            let operation = document["paths"]?[route.rule.path]?[route.rule.method.lowercased()]
            #expect(operation?["responses"]?["200"] != nil, "\(route.rule)")
            #expect((operation?["requestBody"] != nil) == route.rule.takesBody)
        }
        for page in Page.allCases {
            #expect(document["paths"]?["/" + page.rawValue]?["get"] != nil)
        }
    }

    @Test func operationsHaveNamesOfTheirOwn() {
        var names: [JSONValue] = []
        guard case .object(let paths)? = document["paths"] else { return }
        for path in paths {
            guard case .object(let operations) = path.value else { continue }
            names += operations.compactMap { $0.value["operationId"] }
        }
        #expect(names.count == table.routes.count + Page.allCases.count)
        #expect(Set(names).count == names.count)
    }

    @Test func everyReferenceLeadsSomewhere() {
        let text = String(decoding: document.bytes, as: UTF8.self)
        for part in text.split(separator: "\"$ref\":\"#/components/").dropFirst() {
            let path = part.prefix { $0 != "\"" }.split(separator: "/")
            #expect(document["components"]?[String(path[0])]?[String(path[1])] != nil, "\(path)")
        }
    }

    @Test func commentsOfTheContractAreInIt() {
        let field = document["components"]?["schemas"]?["virtufin.SendRequest"]?["properties"]?[
            "timeoutMs"]
        #expect(
            field?["description"]
                == "Milliseconds; zero is the connection's correlation.timeout.")
        #expect(field?["maximum"] == 600_000)
    }
}

/// The pages in the OpenAPI description.
enum OpenAPIPages {
    static let paths: [JSONValue.Member] = Page.allCases.map { page in
        JSONValue.Member(name: "/\(page.rawValue)", value: ["get": operation(page)])
    }

    private static func operation(_ page: Page) -> JSONValue {
        var operation: JSONValue = [
            "operationId": .string("page_\(id(page))"),
            "tags": ["server"],
            "summary": .string(summary(page)),
        ]
        if page.access(isVerbose: false) != page.access(isVerbose: true) {
            operation["parameters"] = [
                [
                    "name": "verbose", "in": "query", "required": false,
                    "allowEmptyValue": true,
                    "description": "Every check, with its reason. Needs the role read.",
                    "schema": ["type": "string"],
                ]
            ]
        }
        if page.access(isVerbose: false) == nil { operation["security"] = [[:]] }
        operation["responses"] = responses(page)
        return operation
    }

    private static func responses(_ page: Page) -> JSONValue {
        let text: JSONValue = ["text/plain": ["schema": ["type": "string"]]]
        let json: JSONValue = ["application/json": ["schema": ["type": "object"]]]
        var responses: JSONValue = [
            "200": [
                "description": .string(summary(page)),
                "content": page == .index || page == .openAPI ? json : text,
            ]
        ]
        switch page {
        case .ready, .healthz, .health:
            responses["503"] = ["description": "Not ready.", "content": text]
        default: break
        }
        responses["default"] = ["$ref": "#/components/responses/Error"]
        return responses
    }

    private static func id(_ page: Page) -> String {
        page == .index
            ? "index" : String(page.rawValue.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    private static func summary(_ page: Page) -> String {
        switch page {
        case .index: "What is here."
        case .live, .healthLive: "The process answers."
        case .ready, .healthz, .health: "The server can do its work."
        case .metrics: "Metrics in Prometheus' text format."
        case .openAPI: "This description."
        }
    }
}

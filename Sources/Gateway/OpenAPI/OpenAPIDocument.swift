import GRPCCore

/// The OpenAPI 3.1 description of the HTTP port, made from the contract and its comments.
struct OpenAPIDocument {
    let schema: ProtoSchema
    let routes: RouteTable

    var value: JSONValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "wsm",
                "version": "1",
                "description": .string(Self.description),
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/"]],
            "tags": .array(tags),
            "security": [[:], ["token": []]],
            "paths": .object(paths),
            "components": [
                "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
                "schemas": .object(
                    OpenAPISchemas(schema: schema, routes: routes).components
                        + [JSONValue.Member(name: "Error", value: Self.error)]),
                "responses": ["Error": Self.errorResponse],
            ],
        ]
    }

    private static let description = """
        JSON follows the proto3 mapping: 64-bit numbers are strings, bytes are base64, fields with \
        their default are written. Streams are newline-delimited JSON, or server-sent events where \
        Accept asks for text/event-stream. The same port speaks gRPC-Web and the unary Connect \
        protocol at /package.Service/Method.
        """

    private var tags: [JSONValue] {
        var names: [String] = []
        for route in routes.routes where !names.contains(route.method.service) {
            names.append(route.method.service)
        }
        return names.map { name in
            var tag: JSONValue = ["name": .string(name)]
            if let comment = schema.services[name], !comment.isEmpty {
                tag["description"] = .string(comment)
            }
            return tag
        } + [["name": "server", "description": "Probes, metrics and this description."]]
    }

    // MARK: Paths

    private var paths: [JSONValue.Member] {
        var paths: [JSONValue.Member] = []
        for route in routes.routes {
            let first = routes.routes.first { $0.method.fullName == route.method.fullName }
            let isAlias = first?.rule != route.rule
            let operation = JSONValue.Member(
                name: route.rule.method.lowercased(),
                value: operation(route, isAlias: isAlias))
            if let at = paths.firstIndex(where: { $0.name == route.rule.path }) {
                guard case .object(let present) = paths[at].value else { continue }
                paths[at].value = .object(present + [operation])
            } else {
                paths.append(JSONValue.Member(name: route.rule.path, value: .object([operation])))
            }
        }
        return paths + OpenAPIPages.paths
    }

    private func operation(_ route: RouteTable.Route, isAlias: Bool) -> JSONValue {
        let method = route.method
        let service = method.service.split(separator: ".").last ?? ""
        let id = "\(service)_\(method.name)"
        var operation: JSONValue = [
            "operationId": .string(isAlias ? "\(id)_\(route.rule.method.lowercased())" : id),
            "tags": [.string(method.service)],
            "summary": .string(Self.firstSentence(method.comment, or: method.name)),
        ]
        if !method.comment.isEmpty { operation["description"] = .string(method.comment) }
        let parameters = parameters(of: route)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if route.rule.takesBody { operation["requestBody"] = requestBody(route) }
        operation["responses"] = [
            "200": response(method), "default": ["$ref": "#/components/responses/Error"],
        ]
        return operation
    }

    static func firstSentence(_ comment: String, or name: String) -> String {
        let end = comment.firstRange(of: ". ").map { $0.lowerBound } ?? comment.endIndex
        let sentence = comment[..<end]
        return sentence.isEmpty ? name : sentence.hasSuffix(".") ? "\(sentence)" : "\(sentence)."
    }

    private func parameters(of route: RouteTable.Route) -> [JSONValue] {
        guard let message = schema.messages[route.method.input] else { return [] }
        let types = OpenAPISchemas(schema: schema, routes: routes)
        var parameters: [JSONValue] = []
        for name in route.variables {
            guard let field = message.field(named: name) else { continue }
            var type = types.type(of: field, in: message)
            type["minLength"] = 1
            parameters.append(
                Self.parameter(field, in: "path", name: name, type: type, isRequired: true))
        }
        if !route.rule.takesBody {
            for field in message.fields where !route.variables.contains(field.name) {
                let type = types.queryType(of: field, in: message)
                parameters.append(
                    Self.parameter(
                        field, in: "query", name: field.jsonName, type: type, isRequired: false))
            }
        }
        if route.method.fullName == "wsm.v1.Orchestrator/Subscribe" {
            parameters.append([
                "name": "Last-Event-ID", "in": "header", "required": false,
                "description": "Goes on after this position, whatever the query says.",
                "schema": ["type": "string", "pattern": "^[0-9]{1,20}$"],
            ])
        }
        return parameters
    }

    private static func parameter(
        _ field: FieldSchema, in place: String, name: String, type: JSONValue, isRequired: Bool
    ) -> JSONValue {
        var parameter: JSONValue = [
            "name": .string(name), "in": .string(place), "required": .bool(isRequired),
        ]
        if !field.comment.isEmpty { parameter["description"] = .string(field.comment) }
        parameter["schema"] = type
        return parameter
    }

    private func requestBody(_ route: RouteTable.Route) -> JSONValue {
        let types = OpenAPISchemas(schema: schema, routes: routes)
        let type: JSONValue =
            route.method.isClientStreaming
            ? types.streamBody(route.method.input)
            : types.body(route.method.input, without: route.variables)
        return ["required": true, "content": ["application/json": ["schema": type]]]
    }

    private func response(_ method: MethodSchema) -> JSONValue {
        let type: JSONValue = ["$ref": .string("#/components/schemas/\(method.output)")]
        guard method.isServerStreaming else {
            return [
                "description": "The answer.", "content": ["application/json": ["schema": type]],
            ]
        }
        return [
            "description": .string(
                "A stream of \(method.output): one message a line, or one or more events. A last "
                    + "line {\"error\": …}, or an event named error, tells of a failure."),
            "content": [
                "application/x-ndjson": ["schema": ["type": "string"]],
                "text/event-stream": ["schema": ["type": "string"]],
            ],
        ]
    }

    // MARK: Errors

    private static let error: JSONValue = [
        "type": "object",
        "required": ["code", "message", "details"],
        "properties": [
            "code": ["type": "string", "description": "The gRPC code: NOT_FOUND and the like."],
            "message": ["type": "string", "description": "One that an operator can act on."],
            "details": [
                "type": "array",
                "items": [
                    "type": "object",
                    "required": ["field", "description"],
                    "properties": [
                        "field": ["type": "string"], "description": ["type": "string"],
                    ],
                ],
            ],
        ],
    ]

    private static let errorResponse: JSONValue = [
        "description": "The call failed; the status is that of the code.",
        "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Error"]]],
    ]
}

import Testing

@testable import Gateway

struct RouteTableTests {
    let schema: ProtoSchema
    let table: RouteTable

    init() throws {
        schema = try .committed()
        table = try RouteTable(schema)
    }

    private func method(_ method: String, _ path: String) throws -> String {
        switch table.match(method: method, segments: try RequestTarget(path).segments) {
        case .route(let route, let variables):
            let values = variables.map { "\($0.name)=\($0.value)" }
            return ([route.method.name] + values).joined(separator: " ")
        case .otherMethods(let methods): return "405 " + methods.joined(separator: ",")
        case .none: return "404"
        }
    }

    @Test(arguments: [
        ("POST", "/v1/connections", "Connect"), ("POST", "/v1/connect", "Connect"),
        ("GET", "/v1/connections", "List"),
        ("DELETE", "/v1/connections/a", "Disconnect id=a"),
        ("POST", "/v1/connections/a/publish", "StartPublish id=a"),
        ("POST", "/v1/connections/a/stop-publish", "StopPublish id=a"),
        ("DELETE", "/v1/connections/a/publish", "StopPublish id=a"),
        ("POST", "/v1/connections/a/send", "Send id=a"),
        ("POST", "/v1/connections/a/send-raw", "SendRaw id=a"),
        ("POST", "/v1/connections/a/sendraw", "SendRaw id=a"),
        ("POST", "/v1/connections/a/tags/k", "SetTag id=a key=k"),
        ("GET", "/v1/connections/a/tags/k", "GetTag id=a key=k"),
        ("PUT", "/v1/connections/a/tags", "SetTags id=a"),
        ("GET", "/v1/connections/a/tags", "GetTags id=a"),
        ("POST", "/wsm/v1/apply", "Apply"), ("POST", "/wsm/v1/plan", "Plan"),
        ("GET", "/wsm/v1/objects", "List"), ("GET", "/wsm/v1/watch", "Watch"),
        ("GET", "/wsm/v1/events", "Events"),
        ("GET", "/wsm/v1/topics/a/messages", "Subscribe topic=a"),
        ("GET", "/wsm/v1/sets/a/history", "GetHistory set=a"),
        ("POST", "/wsm/v1/sets/a/rollback", "Rollback set=a"),
        ("GET", "/wsm/v1/server", "GetServerInfo"),
        ("GET", "/wsm/v1/status", "GetServerStatus"),
        ("GET", "/wsm/v1/Connection/a", "Get kind=Connection name=a"),
        ("DELETE", "/wsm/v1/ConnectionSet/a", "Delete kind=ConnectionSet name=a"),
    ])
    func aRouteLeadsToItsMethod(_ method: String, _ path: String, _ expected: String) throws {
        #expect(try self.method(method, path) == expected)
    }

    @Test func everyRuleOfTheContractIsARoute() throws {
        let rules = schema.methods.reduce(0) { $0 + $1.rules.count }
        #expect(table.routes.count == rules)
        for route in table.routes {
            let path =
                "/"
                + route.segments.map { segment in
                    switch segment {
                    case .literal(let text): text
                    case .variable(let name): "x-\(name)"
                    }
                }.joined(separator: "/")
            guard
                case .route(let found, _) = table.match(
                    method: route.rule.method, segments: try RequestTarget(path).segments)
            else {
                Issue.record("\(route.rule) is not found")
                continue
            }
            #expect(found.rule == route.rule)
        }
    }

    @Test func bothServicesAreWhollyRouted() {
        for service in ["virtufin.WebSocketManager", "wsm.v1.Orchestrator"] {
            let methods = schema.methods.filter { $0.service == service }
            #expect(methods.count >= 11)
            for method in methods { #expect(!method.rules.isEmpty, "\(method.fullName)") }
        }
    }

    @Test(arguments: [
        ("PATCH", "/v1/connections", "405 GET,POST"), ("GET", "/v1/connect", "405 POST"),
        ("PUT", "/wsm/v1/Connection/a", "405 DELETE,GET"),
        ("GET", "/v1/connections/a/publish", "405 DELETE,POST"),
        ("GET", "/v1/connections/", "404"), ("GET", "/v2/connections", "404"), ("GET", "/", "404"),
        ("GET", "/v1/connections//tags", "404"), ("GET", "/v1/Connections", "404"),
        ("GET", "/wsm/v1/a/b/c/d", "404"),
    ])
    func whatIsNotThereIsSaidSo(_ method: String, _ path: String, _ expected: String) throws {
        #expect(try self.method(method, path) == expected)
    }

    @Test func aVariableIsOneDecodedSegment() throws {
        #expect(
            try method("GET", "/v1/connections/a%2Fb/tags/%C3%A4%20+") == "GetTag id=a/b key=ä +")
    }
}

struct RequestTargetTests {
    @Test func aQueryIsTakenApart() throws {
        let target = try RequestTarget("/a?x=1&x=%26&y=a+b%3D&z&&=v#f")
        #expect(target.segments == ["a"])
        #expect(
            target.query.map { "\($0.name):\($0.value)" } == ["x:1", "x:&", "y:a b=", "z:", ":v"])
    }

    @Test(arguments: [
        "", "*", "a", "/%", "/%4", "/%zz", "/%ff", "/a?b=%", "/a?%c3=1", "?a", "http://a/b",
    ])
    func whatCannotBeDecodedIsRefused(_ text: String) {
        #expect(throws: RequestTarget.Problem.self) { try RequestTarget(text) }
    }
}

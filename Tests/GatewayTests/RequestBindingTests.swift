import Testing

@testable import Gateway

struct RequestBindingTests {
    let schema: ProtoSchema
    let table: RouteTable

    init() throws {
        schema = try .committed()
        table = try RouteTable(schema)
    }

    /// What the service gets, as JSON.
    private func message(_ method: String, _ path: String, body: String? = nil) throws -> String {
        let target = try RequestTarget(path)
        guard
            case .route(let route, let variables) = table.match(
                method: method, segments: target.segments)
        else { return "no route" }
        let object = try RequestBinding(schema: schema).bind(
            route, variables: variables, query: target.query,
            body: try body.map { try JSONParser.parse(Array($0.utf8)) })
        let wire = try MessageEncoder(schema: schema).encode(object, as: route.method.input)
        let json = try MessageDecoder(schema: schema).json(wire, of: route.method.input)
        return String(decoding: json, as: UTF8.self)
    }

    @Test(arguments: [
        (
            "GET", "/wsm/v1/objects?pageSize=7&brief=true&label_selector=a%3Db",
            #"{"kind":"","labelSelector":"a=b","set":"","pageSize":7,"pageToken":"","brief":true}"#
        ),
        (
            "GET", "/wsm/v1/watch?names=a&kind=Connection&names=b",
            #"{"kind":"Connection","labelSelector":"","set":"","names":["a","b"]}"#
        ),
        (
            "GET", "/v1/connections?filters=%7B%22key%22:%22a%22,%22value%22:%22b%22%7D",
            #"{"filters":[{"key":"a","value":"b"}]}"#
        ),
        (
            "GET", "/wsm/v1/topics/t/messages?start=START_POSITION_AFTER&afterPosition=12",
            #"{"topic":"t","start":"START_POSITION_AFTER","afterPosition":"12","afterEpoch":"0","after":[]}"#
        ),
        (
            "GET", "/wsm/v1/topics/t/messages?start=2",
            #"{"topic":"t","start":"START_POSITION_OLDEST","afterPosition":"0","afterEpoch":"0","after":[]}"#
        ),
        ("DELETE", "/v1/connections/a%20b", #"{"id":"a b"}"#),
    ])
    func theQueryFillsTheMessage(_ method: String, _ path: String, _ json: String) throws {
        #expect(try message(method, path) == json)
    }

    @Test(arguments: [
        #"{"topic":"t"}"#, #"{"id":"","topic":"t"}"#, #"{"id":"a","topic":"t"}"#,
        #"{"id":null,"topic":"t"}"#,
    ])
    func thePathDecidesAndTheBodyMayAgree(_ body: String) throws {
        #expect(
            try message("POST", "/v1/connections/a/publish", body: body)
                == #"{"id":"a","topic":"t"}"#)
    }

    @Test(
        arguments: [
            ("GET", "/v1/connections?nope=1", nil, "there is no query parameter \"nope\""),
            ("GET", "/wsm/v1/objects?pageSize=x", nil, "pageSize must be a whole number"),
            ("GET", "/wsm/v1/objects?brief=1", nil, "brief must be true or false"),
            ("GET", "/wsm/v1/objects?set=a&set=b", nil, "set is given twice"),
            ("GET", "/wsm/v1/objects?pageSize=1&page_size=2", nil, "page_size is given twice"),
            ("GET", "/v1/connections?filters=a", nil, "filters must be a JSON object"),
            (
                "GET", "/v1/connections?filters=%7B%22k%22:1%7D", nil,
                "filters[0] has no field \"k\""
            ),
            (
                "GET", "/v1/connections?filters.key=a", nil,
                "leads through a field that is no message"
            ),
            ("GET", "/v1/connections/a/tags?id=b", nil, "id is in the path"),
            ("GET", "/wsm/v1/topics/t/messages?start=LATER", nil, "start must be one of START_"),
            ("POST", "/v1/connections/a/publish?topic=t", "{}", "topic cannot be in the query"),
            ("POST", "/v1/connections/a/publish", #"{"id":"b"}"#, "id is not what the path says"),
            ("POST", "/v1/connections/a/stop-publish", #"{"id":"a"}"#, "this route takes no body"),
            ("DELETE", "/v1/connections/a", "[]", "must be a JSON object, not an array"),
        ] as [(String, String, String?, String)])
    func whatIsWrongIsNamed(
        _ method: String, _ path: String, _ body: String?, _ sentence: String
    ) {
        let problem = #expect(throws: FieldProblem.self) {
            try message(method, path, body: body)
        }
        #expect(problem?.description.contains(sentence) == true, "\(problem?.description ?? "")")
    }
}

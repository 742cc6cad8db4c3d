/// Makes one JSON object, to be encoded as the request message, of path, query and body.
struct RequestBinding {
    let schema: ProtoSchema

    /// - Parameter body: `nil` if the request has none.
    /// - Throws: ``FieldProblem`` naming the parameter or field.
    func bind(
        _ route: RouteTable.Route, variables: [(name: String, value: String)],
        query: [RequestTarget.Parameter], body: JSONNode?
    ) throws(FieldProblem) -> JSONNode {
        var object = body ?? JSONNode(.object([]))
        guard object.members != nil else {
            throw FieldProblem(
                path: "", sentence: "the body must be a JSON object, not \(object.kind)")
        }
        if !route.rule.takesBody, let body, body.members?.isEmpty == false {
            throw FieldProblem(
                path: "", sentence: "this route takes no body: give the fields in the query")
        }
        for variable in variables {
            try set(variable.name, to: variable.value, in: &object, of: route.method.input)
        }
        if route.rule.takesBody {
            if let first = query.first {
                throw FieldProblem(
                    path: first.name,
                    sentence: "cannot be in the query: this route takes its fields from the body")
            }
        } else {
            for parameter in query {
                if variables.contains(where: { $0.name == parameter.name }) {
                    throw FieldProblem(
                        path: parameter.name, sentence: "is in the path; it cannot be in the query")
                }
                try add(parameter, to: &object, of: route.method.input)
            }
        }
        return object
    }

    /// The path decides; a body may leave the field out, or say the same.
    private func set(
        _ name: String, to value: String, in object: inout JSONNode, of message: String
    ) throws(FieldProblem) {
        var members = object.members ?? []
        let field = schema.messages[message]?.field(named: name)
        let names = [name, field?.jsonName ?? name]
        for member in members where names.contains(member.name) {
            switch member.node.value {
            case .null: continue
            case .string(let text) where text.isEmpty || text == value: continue
            default:
                throw FieldProblem(
                    path: member.name, sentence: "is not what the path says, \(Quoted(value))")
            }
        }
        members.removeAll { names.contains($0.name) }
        members.append(JSONNode.Member(name: name, node: JSONNode(.string(value))))
        object.value = .object(members)
    }

    private func add(
        _ parameter: RequestTarget.Parameter, to object: inout JSONNode, of message: String
    ) throws(FieldProblem) {
        let path = parameter.name.split(separator: ".", omittingEmptySubsequences: false)
            .map(String.init)
        try add(path[...], parameter, to: &object, of: message)
    }

    private func add(
        _ path: ArraySlice<String>, _ parameter: RequestTarget.Parameter,
        to object: inout JSONNode, of message: String
    ) throws(FieldProblem) {
        guard let name = path.first, let field = schema.messages[message]?.field(named: name)
        else {
            throw FieldProblem(
                path: "", sentence: "there is no query parameter \(Quoted(parameter.name))")
        }
        var members = object.members ?? []
        let at = members.firstIndex { $0.name == field.jsonName }
        var node = at.map { members[$0].node } ?? JSONNode(.null)
        if path.count > 1 {
            guard case .message(let inner) = field.kind, !field.isRepeated, field.mapValue == nil
            else {
                throw FieldProblem(
                    path: parameter.name, sentence: "leads through a field that is no message")
            }
            if case .null = node.value { node = JSONNode(.object([])) }
            try add(path.dropFirst(), parameter, to: &node, of: inner)
        } else if field.isRepeated {
            var elements: [JSONNode] = []
            if case .array(let present) = node.value { elements = present }
            elements.append(try value(parameter, field))
            node = JSONNode(.array(elements))
        } else {
            guard at == nil else {
                throw FieldProblem(path: parameter.name, sentence: "is given twice in the query")
            }
            node = try value(parameter, field)
        }
        let member = JSONNode.Member(name: field.jsonName, node: node)
        if let at { members[at] = member } else { members.append(member) }
        object.value = .object(members)
    }

    /// Texts, numbers, enums and base64 as they are; messages and maps as JSON texts.
    private func value(
        _ parameter: RequestTarget.Parameter, _ field: FieldSchema
    ) throws(FieldProblem) -> JSONNode {
        let isMessage = if case .message = field.kind { true } else { field.mapValue != nil }
        if isMessage {
            do {
                return try JSONParser.parse(Array(parameter.value.utf8))
            } catch {
                throw FieldProblem(
                    path: parameter.name, sentence: "must be a JSON object: \(error)")
            }
        }
        if field.kind == .bool {
            switch parameter.value {
            case "true": return JSONNode(.bool(true))
            case "false": return JSONNode(.bool(false))
            default:
                throw FieldProblem(path: parameter.name, sentence: "must be true or false")
            }
        }
        if case .enum = field.kind, WholeNumber.parse(parameter.value, as: Int32.self) != nil {
            return JSONNode(.number(parameter.value))
        }
        return JSONNode(.string(parameter.value))
    }
}

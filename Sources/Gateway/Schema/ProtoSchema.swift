import ManagerAPI
package import SwiftProtobuf

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The whole contract: what is transcoded, routed and described is read from here and nowhere else.
package struct ProtoSchema: Sendable {
    private(set) var messages: [String: MessageSchema] = [:]
    private(set) var enums: [String: EnumSchema] = [:]
    /// In the order of the protos.
    private(set) var methods: [MethodSchema] = []
    /// What the protos say about each service.
    private(set) var services: [String: String] = [:]

    /// The descriptors are not what this program can serve; a fault of the build.
    package struct Problem: Error, CustomStringConvertible {
        package var description: String
    }

    /// The contract this program was built with.
    package static func committed() throws -> ProtoSchema {
        let text = DescriptorSet.base64
        guard let data = Data(base64Encoded: text) else {
            throw Problem(description: "the descriptor set is not base64")
        }
        return try ProtoSchema(
            Google_Protobuf_FileDescriptorSet(
                serializedBytes: data, extensions: Google_Api_Annotations_Extensions))
    }

    package init(_ set: Google_Protobuf_FileDescriptorSet) throws {
        for file in set.file {
            let comments = ProtoComments(file.sourceCodeInfo)
            for (index, message) in file.messageType.enumerated() {
                add(message, in: file.package, path: [4, Int32(index)], comments)
            }
            for (index, type) in file.enumType.enumerated() {
                add(type, in: file.package, path: [5, Int32(index)], comments)
            }
            for (index, service) in file.service.enumerated() {
                try add(service, in: file.package, path: [6, Int32(index)], comments)
            }
        }
        for method in methods {
            try check(method)
        }
    }

    /// - Throws: ``Problem`` if there is no such message.
    func message(_ name: String) throws(Problem) -> MessageSchema {
        guard let message = messages[name] else {
            throw Problem(description: "there is no message \(name)")
        }
        return message
    }

    func method(service: String, name: String) -> MethodSchema? {
        methods.first { $0.service == service && $0.name == name }
    }

    /// Names of all messages that a field leads to from this one, itself first.
    func reachable(from name: String) -> [String] {
        var found = [name]
        var next = 0
        while next < found.count {
            for field in messages[found[next]]?.fields ?? [] {
                guard case .message(let inner) = field.mapValue ?? field.kind,
                    !found.contains(inner)
                else { continue }
                found.append(inner)
            }
            next += 1
        }
        return found
    }

    private func check(_ method: MethodSchema) throws(Problem) {
        for name in reachable(from: method.input) + reachable(from: method.output) {
            for field in try message(name).fields {
                if case .unsupported(let type) = field.mapValue ?? field.kind {
                    throw Problem(
                        description: "\(method.fullName): \(name).\(field.name) has the type "
                            + "\(type), which has no JSON mapping here")
                }
            }
        }
    }
}

// MARK: - Reading descriptors

extension ProtoSchema {
    private mutating func add(
        _ message: Google_Protobuf_DescriptorProto, in scope: String, path: [Int32],
        _ comments: ProtoComments
    ) {
        let name = scope.isEmpty ? message.name : "\(scope).\(message.name)"
        for (index, nested) in message.nestedType.enumerated() {
            add(nested, in: name, path: path + [3, Int32(index)], comments)
        }
        for (index, type) in message.enumType.enumerated() {
            add(type, in: name, path: path + [4, Int32(index)], comments)
        }
        let maps = Dictionary(
            message.nestedType.filter(\.options.mapEntry).map { ("\(name).\($0.name)", $0) },
            uniquingKeysWith: { first, _ in first })
        let fields = message.field.enumerated().map { index, field in
            var schema = FieldSchema(field, oneofs: message.oneofDecl.map(\.name), maps: maps)
            schema.comment = comments[path + [2, Int32(index)]]
            return schema
        }
        messages[name] = MessageSchema(name: name, fields: fields, comment: comments[path])
    }

    private mutating func add(
        _ type: Google_Protobuf_EnumDescriptorProto, in scope: String, path: [Int32],
        _ comments: ProtoComments
    ) {
        let name = scope.isEmpty ? type.name : "\(scope).\(type.name)"
        enums[name] = EnumSchema(
            name: name,
            values: type.value.enumerated().map { index, value in
                EnumSchema.Value(
                    name: value.name, number: value.number,
                    comment: comments[path + [2, Int32(index)]])
            },
            comment: comments[path])
    }

    private mutating func add(
        _ service: Google_Protobuf_ServiceDescriptorProto, in scope: String, path: [Int32],
        _ comments: ProtoComments
    ) throws(Problem) {
        let name = "\(scope).\(service.name)"
        services[name] = comments[path]
        for (index, method) in service.method.enumerated() {
            let rule = method.options.Google_Api_http
            let rules = method.options.hasGoogle_Api_http ? [rule] + rule.additionalBindings : []
            methods.append(
                MethodSchema(
                    service: name, name: method.name,
                    input: String(method.inputType.drop { $0 == "." }),
                    output: String(method.outputType.drop { $0 == "." }),
                    isClientStreaming: method.clientStreaming,
                    isServerStreaming: method.serverStreaming,
                    rules: try rules.map { rule throws(Problem) in try HTTPRule(rule) },
                    comment: comments[path + [2, Int32(index)]]))
        }
    }
}

extension HTTPRule {
    init(_ rule: Google_Api_HttpRule) throws(ProtoSchema.Problem) {
        switch rule.pattern {
        case .get(let path): (method, self.path) = ("GET", path)
        case .put(let path): (method, self.path) = ("PUT", path)
        case .post(let path): (method, self.path) = ("POST", path)
        case .delete(let path): (method, self.path) = ("DELETE", path)
        case .patch(let path): (method, self.path) = ("PATCH", path)
        case nil: throw ProtoSchema.Problem(description: "a rule without a path")
        }
        guard rule.body.isEmpty || rule.body == "*", rule.responseBody.isEmpty else {
            throw ProtoSchema.Problem(
                description: "\(path): a body must be the whole message or nothing")
        }
        takesBody = !rule.body.isEmpty
    }
}

extension FieldSchema {
    init(
        _ field: Google_Protobuf_FieldDescriptorProto, oneofs: [String],
        maps: [String: Google_Protobuf_DescriptorProto]
    ) {
        number = Int(field.number)
        name = field.name
        jsonName = field.jsonName.isEmpty ? field.name : field.jsonName
        kind = FieldKind(field)
        isRepeated = field.label == .repeated
        if case .message(let type) = kind, let entry = maps[type], entry.field.count == 2 {
            isRepeated = false
            mapValue =
                FieldKind(entry.field[0]) == .string
                ? FieldKind(entry.field[1]) : .unsupported("map without string keys")
        }
        let isInOneof = field.hasOneofIndex && !field.proto3Optional
        oneof =
            isInOneof && oneofs.indices.contains(Int(field.oneofIndex))
            ? oneofs[Int(field.oneofIndex)] : nil
        if case .message = kind { hasPresence = !isRepeated && mapValue == nil }
        hasPresence = hasPresence || field.proto3Optional || isInOneof
    }
}

extension FieldKind {
    init(_ field: Google_Protobuf_FieldDescriptorProto) {
        let type = String(field.typeName.drop { $0 == "." })
        self =
            switch field.type {
            case .string: .string
            case .bytes: .bytes
            case .bool: .bool
            case .int32: .int32
            case .int64: .int64
            case .uint32: .uint32
            case .uint64: .uint64
            case .enum: .enum(type)
            case .message: .message(type)
            default: .unsupported("\(field.type)")
            }
    }
}

/// The comments that stand before the declarations of one file.
struct ProtoComments {
    private var byPath: [[Int32]: String] = [:]

    init(_ info: Google_Protobuf_SourceCodeInfo) {
        for location in info.location where location.hasLeadingComments {
            let lines = location.leadingComments.split(separator: "\n")
                .map { $0.trimmingPrefix { $0 == " " } }
            byPath[location.path] = lines.joined(separator: " ")
        }
    }

    subscript(path: [Int32]) -> String { byPath[path] ?? "" }
}

import ManagerAPI
import Spec
import SwiftProtobuf

/// Every `.proto` file of the server, by name and by what it declares. Pure; made once.
package struct DescriptorPool: Sendable {
    /// Serialized `google.protobuf.FileDescriptorProto`.
    package typealias File = [UInt8]

    private struct Entry: Sendable {
        var bytes: File
        var dependencies: [String]
    }

    private struct ExtensionKey: Sendable, Hashable {
        var type: String
        var number: Int32
    }

    private var files: [String: Entry] = [:]
    private var fileOfSymbol: [String: String] = [:]
    private var fileOfExtension: [ExtensionKey: String] = [:]
    private var extensionNumbers: [String: [Int32]] = [:]
    private var messages: Set<String> = []
    /// Full names of all services, sorted.
    package private(set) var services: [String] = []

    /// The set that is built in.
    package static let builtIn: DescriptorPool = {
        do {
            return try DescriptorPool(base64: DescriptorSet.base64)
        } catch {
            preconditionFailure("the descriptors built in cannot be read: \(error)")
        }
    }()

    /// - Parameter base64: a serialized `google.protobuf.FileDescriptorSet`.
    package init(base64: String) throws {
        let bytes = try Base64.decode(base64)
        let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
        for file in set.file { try add(file) }
        services.sort()
    }

    private mutating func add(_ file: Google_Protobuf_FileDescriptorProto) throws {
        files[file.name] = Entry(
            bytes: try file.serializedBytes(), dependencies: file.dependency)
        let scope = file.package
        for service in file.service {
            let name = Self.joined(scope, service.name)
            services.append(name)
            declare(name, in: file)
            for method in service.method { declare("\(name).\(method.name)", in: file) }
        }
        for message in file.messageType { add(message, scope: scope, in: file) }
        for type in file.enumType { add(type, scope: scope, in: file) }
        for field in file.extension { add(field, scope: scope, in: file) }
    }

    private mutating func add(
        _ message: Google_Protobuf_DescriptorProto, scope: String,
        in file: Google_Protobuf_FileDescriptorProto
    ) {
        let name = Self.joined(scope, message.name)
        messages.insert(name)
        declare(name, in: file)
        for field in message.field { declare("\(name).\(field.name)", in: file) }
        for oneof in message.oneofDecl { declare("\(name).\(oneof.name)", in: file) }
        for inner in message.nestedType { add(inner, scope: name, in: file) }
        for type in message.enumType { add(type, scope: name, in: file) }
        for field in message.extension { add(field, scope: name, in: file) }
    }

    /// The values of an enum are names of the scope around it, as in C++; they are found below the
    /// enum's own name too, where people look for them.
    private mutating func add(
        _ type: Google_Protobuf_EnumDescriptorProto, scope: String,
        in file: Google_Protobuf_FileDescriptorProto
    ) {
        let name = Self.joined(scope, type.name)
        declare(name, in: file)
        for value in type.value {
            declare(Self.joined(scope, value.name), in: file)
            declare("\(name).\(value.name)", in: file)
        }
    }

    private mutating func add(
        _ field: Google_Protobuf_FieldDescriptorProto, scope: String,
        in file: Google_Protobuf_FileDescriptorProto
    ) {
        declare(Self.joined(scope, field.name), in: file)
        let type = Self.withoutDot(field.extendee)
        fileOfExtension[ExtensionKey(type: type, number: field.number)] = file.name
        extensionNumbers[type, default: []].append(field.number)
    }

    private mutating func declare(_ name: String, in file: Google_Protobuf_FileDescriptorProto) {
        if fileOfSymbol[name] == nil { fileOfSymbol[name] = file.name }
    }

    private static func joined(_ scope: String, _ name: String) -> String {
        scope.isEmpty ? name : "\(scope).\(name)"
    }

    private static func withoutDot(_ name: String) -> String {
        name.hasPrefix(".") ? String(name.dropFirst()) : name
    }
}

// MARK: Asking

extension DescriptorPool {
    /// The file, and then every file it imports, directly or not.
    package func files(named name: String) -> [File]? {
        guard files[name] != nil else { return nil }
        var result: [File] = []
        var seen: Set<String> = [name]
        var waiting = [name]
        while let next = waiting.first {
            waiting.removeFirst()
            guard let entry = files[next] else { continue }
            result.append(entry.bytes)
            for dependency in entry.dependencies where seen.insert(dependency).inserted {
                waiting.append(dependency)
            }
        }
        return result
    }

    package func files(declaring symbol: String) -> [File]? {
        fileOfSymbol[Self.withoutDot(symbol)].flatMap { files(named: $0) }
    }

    package func files(extending type: String, number: Int32) -> [File]? {
        fileOfExtension[ExtensionKey(type: Self.withoutDot(type), number: number)]
            .flatMap { files(named: $0) }
    }

    /// Rising; `nil` if there is no such message.
    package func extensionNumbers(of type: String) -> [Int32]? {
        let type = Self.withoutDot(type)
        guard messages.contains(type) else { return nil }
        return (extensionNumbers[type] ?? []).sorted()
    }
}

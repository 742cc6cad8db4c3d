import Foundation
import Testing

@testable import Spec

/// The trees our reader makes of every valid source, kept in a file that other readers are held against.
struct NodeTreeTests {
    static let folders = ["examples", "Tests/Fixtures/valid"]

    static func sources() throws -> [String] {
        try folders.flatMap { folder in
            let url = Fixtures.project.appending(path: folder)
            return try FileManager.default.subpathsOfDirectory(atPath: url.path)
                .filter { name in
                    (name.hasSuffix(".yaml") || name.hasSuffix(".json"))
                        && !name.hasSuffix(".resolved.yaml")
                }
                .map { "\(folder)/\($0)" }
        }.sorted()
    }

    @Test func treesAreThoseOfTheFile() throws {
        var lines = ""
        for source in try Self.sources() {
            let bytes = [UInt8](
                try Data(contentsOf: Fixtures.project.appending(path: source)))
            let documents = try Self.documents(bytes, isJSON: source.hasSuffix(".json"))
            let record: JSONValue = [
                "source": .string(source), "documents": .array(documents.map(Self.tree)),
            ]
            lines += String(decoding: record.serialized(), as: UTF8.self) + "\n"
        }
        let url = Fixtures.tests.appending(path: "Fixtures/trees.jsonl")
        #expect(try Fixtures.expected(url, actual: lines) == lines)
    }

    private static func documents(_ bytes: [UInt8], isJSON: Bool) throws -> [Node] {
        if isJSON { return [try JSONNodeReader.read(bytes).root] }
        let text = try TextEncoding.checked(bytes)
        return try text.withUnsafeBufferPointer { buffer in
            guard var reader = YAMLReader(buffer, text: text) else {
                Issue.record("the source is empty")
                return []
            }
            var roots: [Node] = []
            while let document = reader.next() {
                #expect(document.findings.isEmpty)
                roots.append(try #require(document.root))
            }
            return roots
        }
    }

    private static func tree(_ node: Node) -> JSONValue {
        switch node.content {
        case .scalar(let scalar): tree(scalar)
        case .sequence(let items): ["seq", .array(items.map(tree))]
        case .mapping(let entries):
            ["map", .array(entries.map { [tree($0.key), tree($0.value)] })]
        case .reported: .null
        }
    }

    private static func tree(_ scalar: Scalar) -> JSONValue {
        let type: JSONValue =
            switch scalar.kind {
            case .string: "str"
            case .null: "null"
            case .bool: "bool"
            case .int: "int"
            case .float: "float"
            }
        return [type, .string(scalar.text)]
    }
}

import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

/// Applies over a draft that is never committed: `SetApply` by itself.
struct ApplyRig {
    private(set) var draft = StoreDraft(base: MemoryTier(), epoch: 1)
    private var generator = SplitMix64(seed: 1)

    init() {}

    /// Compiles YAML, each text a file.
    static func compile(_ yaml: [String]) throws -> [CompiledObject] {
        let compilation = ManifestCompiler.compile(
            yaml.enumerated().map {
                ManifestSource(name: "f\($0.offset).yaml", bytes: Array($0.element.utf8))
            })
        try #require(!compilation.hasErrors, "\(compilation.diagnostics)")
        return compilation.objects
    }

    /// Applies, and keeps the result in the draft.
    @discardableResult
    mutating func apply(
        _ yaml: String..., set: String = "default", _ edit: (inout ApplyOptions) -> Void = { _ in }
    ) throws -> ApplyOutcome {
        try apply(try Self.compile(yaml), set: set, edit)
    }

    @discardableResult
    mutating func apply(
        _ objects: [CompiledObject], set: String = "default",
        _ edit: (inout ApplyOptions) -> Void = { _ in }
    ) throws -> ApplyOutcome {
        var options = ApplyOptions(set: set)
        edit(&options)
        var generator = generator
        let outcome = try SetApply.run(
            objects, on: &draft, options: options, now: someTime,
            makeUID: { .random(using: &generator) })
        self.generator = generator
        return outcome
    }

    /// Applies to a copy, as `--dry-run` does.
    func plan(
        _ yaml: String..., set: String = "default", _ edit: (inout ApplyOptions) -> Void = { _ in }
    ) throws -> ApplyOutcome {
        var copy = self
        return try copy.apply(try Self.compile(yaml), set: set, edit)
    }

    /// A change that a call of the API makes.
    mutating func edit(_ name: String, _ body: (inout DesiredConnection) -> Void) throws {
        var record = try #require(draft.connection(name))
        body(&record.desired)
        draft.put(record)
    }

    /// A connection that Connect made.
    mutating func connect(_ name: String) {
        draft.put(ConnectionRecord(epoch: 1, desired: .sample(name, keeper: .grpc)))
    }

    func desired(_ name: String) -> DesiredConnection? { draft.connection(name)?.desired }
    func owned(_ set: String = "default") -> Set<String> {
        draft.applySet(set)?.connections ?? []
    }
}

extension ApplyOutcome {
    /// `name action`, in order; sets in brackets.
    var lines: [String] {
        results.map {
            "\($0.kind == .connection ? $0.name : "[\($0.name)]") \($0.action)"
        }
    }
}

/// A manifest of one connection with a topic.
func connection(_ name: String, topic: String = "t", extra: String = "") -> String {
    manifest(name, "url: ws://example.test/\(name)\ntopic: \(topic)\n\(extra)")
}

/// A manifest of a set with one member for each word.
func connectionSet(
    _ name: String, _ members: [String], topic: String = "t", metadata: String = ""
) -> String {
    """
    apiVersion: wsm.virtufin.com/v1
    kind: ConnectionSet
    metadata: {name: \(name)\(metadata.isEmpty ? "" : ", " + metadata)}
    spec:
      list: [\(members.map { "{word: \($0)}" }.joined(separator: ", "))]
      name: '{{word}}'
      template:
        spec:
          url: ws://example.test/{{word}}
          topic: \(topic)

    """
}

import Foundation

@testable import Spec

/// The files below `Tests/Fixtures`, found from where this file really stands.
enum Fixtures {
    static let tests = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let project = tests.deletingLastPathComponent()

    /// `WSM_REWRITE=1`: expected files are written anew instead of compared.
    static let isRewriting = ProcessInfo.processInfo.environment["WSM_REWRITE"] == "1"

    /// The names of the manifests in a folder, sorted.
    static func manifests(in folder: String) -> [String] {
        let url = tests.appending(path: "Fixtures/\(folder)")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.filter { name in
            (name.hasSuffix(".yaml") || name.hasSuffix(".json"))
                && !name.hasSuffix(".resolved.yaml")
        }.sorted()
    }

    static func url(_ folder: String, _ name: String) -> URL {
        tests.appending(path: "Fixtures/\(folder)/\(name)")
    }

    static func bytes(_ folder: String, _ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: url(folder, name)))
    }

    /// The expected text of a fixture; written first where rewriting is asked for.
    static func expected(_ url: URL, actual: String) throws -> String {
        if isRewriting { try Data(actual.utf8).write(to: url) }
        return String(decoding: try Data(contentsOf: url), as: UTF8.self)
    }
}

/// Compiles one text under the name `m.yaml`.
func compile(_ text: String, name: String = "m.yaml") -> Compilation {
    ManifestCompiler.compile([ManifestSource(name: name, bytes: Array(text.utf8))])
}

/// A `Connection` with these lines as its `spec`, indented by two.
func connectionYAML(_ spec: String, name: String = "a") -> String {
    """
    apiVersion: wsm.virtufin.com/v1
    kind: Connection
    metadata: {name: \(name)}
    spec:
    \(spec)
    """
}

extension Compilation {
    var lines: [String] { diagnostics.map(\.description) }

    /// The spec of the only connection.
    var spec: ConnectionSpec? {
        objects.count == 1 ? objects[0].connections.first?.spec : nil
    }
}

/// SplitMix64: a generator whose sequence a seed tells.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

import Testing

@testable import Spec

/// Seeded mutations of good manifests: whatever comes out, the compiler answers and never traps.
struct MutationTests {
    static let noise: [String] = [
        "{", "}", "[", "]", ":", ": ", "-", "- ", "\n", "\n  ", "'", "\"", "\\", "&a", "*a", "!",
        "!!str ",
        "<<: ", "{{", "}}", "{{x}}", "|", ">", "#", "%", "---\n", "...\n", "\t", "\0", "\u{85}",
        "é", "0",
        "-1", "1e9", "null", "true", "ws://", "h", "s", "KiB", ",", "?", "? ", "@", "\u{FEFF}",
    ]

    @Test(arguments: ValidManifestTests.names)
    func mutatedManifestsNeverTrap(_ name: String) throws {
        let original = try Fixtures.bytes("valid", name)
        var random = SeededGenerator(seed: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        for _ in 0..<400 {
            let bytes = mutated(original, &random)
            let compilation = ManifestCompiler.compile([ManifestSource(name: "f", bytes: bytes)])
            for object in compilation.objects {
                let again = ManifestCompiler.compileJSON(object.canonical, name: "wire")
                #expect(again.objects.first?.canonical == object.canonical)
                #expect(again.objects.first?.digest == object.digest)
            }
            _ = ManifestCompiler.compileJSON(bytes, name: "wire")
        }
    }

    private func mutated(_ original: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, at + Int.random(in: 0...12, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.removeSubrange(at..<end)
            case 1:
                bytes.insert(
                    contentsOf: Self.noise.randomElement(using: &random)?.utf8 ?? "".utf8, at: at)
            case 2 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 3: bytes.insert(contentsOf: Array(bytes[at..<end]), at: at)
            default:
                bytes.replaceSubrange(
                    at..<end, with: Self.noise.randomElement(using: &random)?.utf8 ?? "".utf8)
            }
        }
        return bytes
    }
}

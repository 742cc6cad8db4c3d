import Foundation
import Testing

@testable import Spec

/// The manifests below `examples/`: what a newcomer tries first has to be right.
struct ExamplesTests {
    /// Every manifest file, with how many connections it declares.
    static let connections = [
        "connection-set-100/ticks.yaml": 100,
        "mosquitto/sensors.yaml": 1,
        "nats/orders.yaml": 1,
        "quickstart/quickstart.yaml": 4,
    ]

    static let folder = Fixtures.project.appending(path: "examples")

    static func compile(_ names: [String]) throws -> Compilation {
        ManifestCompiler.compile(
            try names.map { name in
                let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
                return ManifestSource(name: name, bytes: bytes)
            })
    }

    @Test(arguments: connections.keys.sorted())
    func everyExampleCompilesWithoutAWarning(_ name: String) throws {
        let compilation = try Self.compile([name])
        #expect(compilation.lines == [])
        let declared = compilation.objects.reduce(0) { $0 + $1.connections.count }
        #expect(declared == Self.connections[name])
    }

    @Test func noExampleIsLeftOut() throws {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: Self.folder.path)
        let manifests = paths.filter {
            ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml") || $0.hasSuffix(".json"))
                && !$0.contains("/.")
        }
        #expect(manifests.sorted() == Self.connections.keys.sorted())
    }

    @Test func allExamplesCanBeAppliedTogether() throws {
        let compilation = try Self.compile(Self.connections.keys.sorted())
        #expect(compilation.lines == [])
        let names = compilation.objects.flatMap { $0.connections.map(\.metadata.name) }
        #expect(names.count == 106)
        #expect(Set(names).count == names.count)
    }

    @Test func everyExampleStaysOnThisMachine() throws {
        let compilation = try Self.compile(Self.connections.keys.sorted())
        for connection in compilation.objects.flatMap(\.connections) {
            #expect(try Endpoint.parse(connection.spec.url).host == "127.0.0.1")
        }
    }

    /// The two packets of the MQTT example, byte by byte as MQTT 3.1.1 has them.
    @Test func mqttExampleSendsConnectAndSubscribe() throws {
        let compilation = try Self.compile(["mosquitto/sensors.yaml"])
        let connect: [UInt8] =
            [0x10, 23, 0, 4] + Array("MQTT".utf8) + [4, 0x02, 0, 0, 0, 11]
            + Array("wsm-sensors".utf8)
        let subscribe: [UInt8] = [0x82, 14, 0, 1, 0, 9] + Array("sensors/#".utf8) + [0]
        let packets = try (compilation.spec?.onOpen ?? []).map { message in
            guard case .base64(.literal(let text)) = message else { return [UInt8]() }
            return try Base64.decode(text)
        }
        #expect(packets == [connect, subscribe])
    }
}

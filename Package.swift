// swift-tools-version: 6.2
import PackageDescription

// Every target is built with the same settings, so that a line of code means the same in every room.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

extension Target.Dependency {
    static let nio: Self = .product(name: "NIOCore", package: "swift-nio")
    static let nioPosix: Self = .product(name: "NIOPosix", package: "swift-nio")
    static let nioHTTP1: Self = .product(name: "NIOHTTP1", package: "swift-nio")
    static let nioWebSocket: Self = .product(name: "NIOWebSocket", package: "swift-nio")
    static let nioTLS: Self = .product(name: "NIOTLS", package: "swift-nio")
    static let nioEmbedded: Self = .product(name: "NIOEmbedded", package: "swift-nio")
    static let nioSSL: Self = .product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioHTTP2: Self = .product(name: "NIOHTTP2", package: "swift-nio-http2")
    static let nioHPACK: Self = .product(name: "NIOHPACK", package: "swift-nio-http2")
    static let grpcCore: Self = .product(name: "GRPCCore", package: "grpc-swift-2")
    static let grpcTransport: Self = .product(
        name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")
    static let grpcProtobuf: Self = .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
    static let protobuf: Self = .product(name: "SwiftProtobuf", package: "swift-protobuf")
    static let yams: Self = .product(name: "Yams", package: "Yams")
    static let grdb: Self = .product(name: "GRDB", package: "GRDB.swift")
    static let arguments: Self = .product(name: "ArgumentParser", package: "swift-argument-parser")
    static let logging: Self = .product(name: "Logging", package: "swift-log")
    static let grpcInProcess: Self = .product(
        name: "GRPCInProcessTransport", package: "grpc-swift-2")
    static let httpServer: Self = .product(name: "HummingbirdCore", package: "hummingbird")
    static let httpTypes: Self = .product(name: "HTTPTypes", package: "swift-http-types")
    static let x509: Self = .product(name: "X509", package: "swift-certificates")
    static let asn1: Self = .product(name: "SwiftASN1", package: "swift-asn1")
    static let signals: Self = .product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let crypto: Self = .product(name: "Crypto", package: "swift-crypto")
    static let deque: Self = .product(name: "DequeModule", package: "swift-collections")
    static let heap: Self = .product(name: "HeapModule", package: "swift-collections")
}

let package = Package(
    name: "wsm",
    products: [
        .executable(name: "wsm-server", targets: ["wsm-server"]),
        .executable(name: "wsm-apply", targets: ["wsm-apply"]),
        .executable(name: "wsm-feed", targets: ["wsm-feed"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.0"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.0"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf.git", from: "2.4.0"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0", traits: []),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0",
            traits: []),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
    ],
    targets: [
        // Pure: nothing in these two opens a socket, a file or a clock.
        .target(name: "Spec", dependencies: [.yams, .crypto]),
        .target(name: "ManagerCore", dependencies: ["Spec", .deque, .heap]),

        // Shells.
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CCopy"),
        .target(
            name: "WebSocket",
            dependencies: [
                "CZlib", "CCopy", .nio, .nioPosix, .nioTLS, .nioSSL, .crypto, .heap,
            ]),
        .target(
            name: "Dapr",
            dependencies: [
                .grpcCore, .grpcTransport, .grpcProtobuf, .protobuf, .nio, .nioPosix, .nioHTTP1,
                .nioSSL, .nioHPACK, .deque,
            ]),
        .target(
            name: "Manager",
            dependencies: [
                "CMalloc", "Spec", "ManagerCore", "WebSocket", "Dapr", "ManagerAPI", "Reconciler",
                "Access", "Gateway", .nio, .nioPosix, .nioHTTP2, .crypto, .grpcInProcess,
                .grpcCore, .grpcTransport, .grpcProtobuf, .protobuf, .grdb, .logging, .deque,
            ]),
        .target(
            name: "ManagerAPI", dependencies: [.grpcCore, .grpcProtobuf, .protobuf]),
        .target(
            name: "Access",
            dependencies: [
                .grpcCore, .grpcTransport, .crypto, .x509, .asn1, .nio, .nioSSL, .nioTLS, .logging,
            ]),
        .target(
            name: "Gateway",
            dependencies: [
                "ManagerAPI", .grpcCore, .grpcInProcess, .protobuf, .httpServer,
                .httpTypes, .nio, .nioPosix, .nioSSL, .logging,
            ]),
        .target(
            name: "Reconciler", dependencies: ["Spec", "ManagerCore", .logging, .heap, .deque]),
        .target(
            name: "ApplyCommands",
            dependencies: [
                "Spec", "ManagerAPI", .arguments, .grpcCore, .grpcTransport, .grpcProtobuf,
                .protobuf, .nioSSL,
            ]),

        // Programs.
        .target(
            name: "ServerSettings",
            dependencies: [
                "Manager", "ManagerCore", "Dapr", "Reconciler", "Spec", .arguments, .logging,
            ]),
        .executableTarget(
            name: "wsm-server",
            dependencies: [
                "Manager", "ServerSettings", "Reconciler", "Spec", .arguments, .signals,
                .logging,
            ]),
        .executableTarget(name: "wsm-apply", dependencies: ["ApplyCommands", .arguments]),
        .target(
            name: "Feed", dependencies: [.nio, .nioPosix, .nioHTTP1, .nioWebSocket, .nioSSL],
            path: "examples/wsm-feed/Feed"),
        .executableTarget(
            name: "wsm-feed", dependencies: ["Feed", .arguments],
            path: "examples/wsm-feed/wsm-feed"),

        // Test doubles; nothing shipped imports it.
        .target(
            name: "TestKit",
            dependencies: [
                "Spec", "ManagerCore", "Manager", "ManagerAPI", "Reconciler", "WebSocket", "Feed",
                "CZlib", .nio, .nioPosix, .crypto, .grpcCore, .grpcTransport, .logging,
            ]),

        // Our client as the Autobahn test suite drives one; for the interop tests.
        .executableTarget(
            name: "ws-echo", dependencies: ["Spec", "TestKit", "WebSocket", .nio, .nioPosix],
            path: "Tests/EchoAgent"),
        // A program for the interop tests: both directions of the JSON mapping, by lines.
        .executableTarget(
            name: "wsm-transcode", dependencies: ["Gateway"], path: "Tests/TranscodeProbe"),
        // Another one: the conformance suites against the sidecar it is told of.
        .executableTarget(
            name: "wsm-dapr-probe",
            dependencies: ["TestKit", "Manager", "ManagerCore", "Dapr"], path: "Tests/DaprProbe"),
        // The proof of the ownership protocol: nothing shipped imports it either.
        .target(name: "Simulation", dependencies: ["ManagerCore"]),
        .executableTarget(name: "wsm-sim", dependencies: ["Simulation", .arguments]),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation", "ManagerCore"]),

        // Takes the place of malloc in the tests' program, and counts.
        .target(name: "CAllocations", path: "Tests/CAllocations"),

        .testTarget(name: "SpecTests", dependencies: ["Spec"]),
        .testTarget(
            name: "ManagerCoreTests",
            dependencies: ["ManagerCore", "Spec", "TestKit", "CAllocations"]),
        .testTarget(
            name: "WebSocketTests",
            dependencies: ["WebSocket", "Feed", "CAllocations", .nio, .nioPosix, .nioEmbedded]),
        .testTarget(
            name: "DaprTests",
            dependencies: [
                "Dapr", .grpcCore, .grpcTransport, .grpcProtobuf, .protobuf, .nio, .nioPosix,
                .nioHTTP1, .nioHPACK, .nioEmbedded, .nioSSL, "TestKit",
            ]),
        .testTarget(
            name: "ConformanceTests", dependencies: ["TestKit", "WebSocket", .nio, .nioPosix]),
        .testTarget(
            name: "FeedTests", dependencies: ["Feed", "WebSocket", .nio, .nioPosix, .nioHTTP1]),
        .testTarget(
            name: "AccessTests",
            dependencies: [
                "Access", .grpcCore, .grpcTransport, .x509, .crypto, .nioSSL, .logging,
            ]),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "ManagerAPI", .grpcCore, .grpcInProcess, .protobuf, .httpServer,
                .httpTypes, .nio, .nioPosix, .nioHTTP1, .nioSSL, .logging, "TestKit",
            ]),
        .testTarget(
            name: "ServerSettingsTests",
            dependencies: [
                "ServerSettings", "Manager", "ManagerCore", "Reconciler", "Spec", .arguments,
                .logging,
            ]),
        .testTarget(
            name: "ReconcilerTests",
            dependencies: ["Reconciler", "ManagerCore", "Spec", "TestKit", .logging]),
        .testTarget(
            name: "ManagerTests",
            dependencies: [
                "Manager", "ManagerCore", "ManagerAPI", "Reconciler", "Spec", "WebSocket", "Feed",
                "Access", "TestKit", .nio, .nioPosix, .nioEmbedded, .nioHTTP2, .grpcCore,
                .grpcInProcess, .grpcTransport, .protobuf, .grdb, .logging,
            ]),
        .testTarget(
            name: "ApplyCommandsTests",
            dependencies: [
                "ApplyCommands", "ManagerAPI", "Spec", "wsm-apply", .arguments, .grpcCore,
                .grpcTransport, .grpcProtobuf, .protobuf,
            ]),
    ],
    swiftLanguageModes: [.v6]
)

// Only `make fuzz` asks for these: they link with libFuzzer alone.
if Context.environment["WSM_FUZZ"] != nil {
    package.targets += [
        .target(name: "CFuzzer", path: "Fuzz/CFuzzer"),
        .executableTarget(
            name: "wsm-fuzz", dependencies: ["CFuzzer", "Spec", "WebSocket"],
            path: "Fuzz/wsm-fuzz"),
    ]
}

// Only Benchmarks/instructions.sh asks for this one: it sees what is internal to the codec.
if Context.environment["WSM_CODEC_BENCH"] != nil {
    package.targets.append(
        .executableTarget(
            name: "wsm-codec-bench", dependencies: ["WebSocket"], path: "Benchmarks/codec"))
}

for target in package.targets where target.type != .system {
    target.swiftSettings = settings
}

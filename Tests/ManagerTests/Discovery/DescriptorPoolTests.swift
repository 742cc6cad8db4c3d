import ManagerAPI
import Testing

@testable import Manager

struct DescriptorPoolTests {
    private let pool = DescriptorPool.builtIn

    private func ask(_ question: ReflectionQuestion) -> ReflectionAnswer {
        ReflectionAnswer(question, pool: pool, services: DiscoveryServices.names)
    }

    @Test func theServicesAreThoseOfTheDescriptors() {
        #expect(pool.services == DiscoveryServices.names)
        #expect(ask(.services) == .services(DiscoveryServices.names))
    }

    @Test(arguments: [
        "virtufin.WebSocketManager", "virtufin.WebSocketManager.Connect", "virtufin.ConnectRequest",
        "virtufin.ConnectRequest.url", "virtufin.ConnectRequest.TagsEntry",
        ".virtufin.ConnectRequest",
    ]) func aSymbolLeadsToItsFile(_ symbol: String) throws {
        let files = try #require(pool.files(declaring: symbol))
        #expect(files.first == pool.files(named: "virtufin/websocketmanager.proto")?.first)
    }

    @Test(arguments: [
        ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
        ("grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"),
        ("grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING", "grpc/health/v1/health.proto"),
        ("google.api.http", "google/api/annotations.proto"),
        ("wsm.v1.ApplyRequest.part", "wsm/v1/orchestrator.proto"),
    ]) func enumsOneofsAndExtensionsAreSymbols(_ symbol: String, _ file: String) throws {
        let files = try #require(pool.files(declaring: symbol))
        #expect(files.first == pool.files(named: file)?.first)
    }

    @Test func aFileComesWithItsImportsEachOnce() throws {
        let files = try #require(pool.files(named: "virtufin/websocketmanager.proto"))
        for name in [
            "google/api/annotations.proto", "google/api/http.proto",
            "google/protobuf/descriptor.proto",
        ] {
            let file = try #require(pool.files(named: name)?.first)
            #expect(files.count { $0 == file } == 1, "\(name)")
        }
    }

    @Test func extensionsAreFoundByMessageAndNumber() throws {
        let type = "google.protobuf.MethodOptions"
        #expect(pool.extensionNumbers(of: type) == [72_295_728])
        #expect(
            pool.files(extending: type, number: 72_295_728)?.first
                == pool.files(named: "google/api/annotations.proto")?.first)
        #expect(pool.extensionNumbers(of: "virtufin.ConnectRequest") == [])
    }

    @Test(arguments: [
        ReflectionQuestion.file(name: "no.proto"), .symbol("no.Such"), .symbol(""),
        .extensionOf(type: "google.protobuf.MethodOptions", number: 1),
        .extensionNumbers(of: "no.Such"),
    ]) func whatIsNotThereIsNotFound(_ question: ReflectionQuestion) {
        guard case .notFound(let sentence) = ask(question) else {
            Issue.record("\(ask(question))")
            return
        }
        #expect(sentence.hasPrefix("there is no "))
    }

    @Test func anEmptyRequestIsInvalid() {
        #expect(ask(.nothing) == .invalid("the request asks for nothing that is known"))
    }

    @Test func aDescriptorSetThatIsNoneIsRefused() {
        #expect(throws: (any Error).self) { try DescriptorPool(base64: "%%%") }
        #expect(throws: (any Error).self) { try DescriptorPool(base64: "CgUKAw==") }
    }
}

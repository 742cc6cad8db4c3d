package import GRPCCore
package import ManagerAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `grpc.reflection.v1.ServerReflection`: what the server has, for clients without `.proto` files.
package struct ReflectionV1Service: Grpc_Reflection_V1_ServerReflection.SimpleServiceProtocol {
    private let pool: DescriptorPool
    private let services: [String]

    package init(pool: DescriptorPool, services: [String]) {
        self.pool = pool
        self.services = services
    }

    package func serverReflectionInfo(
        request: RPCAsyncSequence<Grpc_Reflection_V1_ServerReflectionRequest, any Error>,
        response: RPCWriter<Grpc_Reflection_V1_ServerReflectionResponse>, context: ServerContext
    ) async throws {
        for try await message in request {
            let answer = ReflectionAnswer(message.question, pool: pool, services: services)
            try await response.write(.init(answer, to: message))
        }
    }
}

extension Grpc_Reflection_V1_ServerReflectionRequest {
    fileprivate var question: ReflectionQuestion {
        switch messageRequest {
        case .fileByFilename(let name): .file(name: name)
        case .fileContainingSymbol(let symbol): .symbol(symbol)
        case .fileContainingExtension(let key):
            .extensionOf(type: key.containingType, number: key.extensionNumber)
        case .allExtensionNumbersOfType(let type): .extensionNumbers(of: type)
        case .listServices: .services
        case nil: .nothing
        }
    }
}

extension Grpc_Reflection_V1_ServerReflectionResponse {
    fileprivate init(
        _ answer: ReflectionAnswer, to request: Grpc_Reflection_V1_ServerReflectionRequest
    ) {
        self.init()
        validHost = request.host
        originalRequest = request
        switch answer {
        case .files(let files):
            fileDescriptorResponse.fileDescriptorProto = files.map { Data($0) }
        case .extensionNumbers(let type, let numbers):
            allExtensionNumbersResponse.baseTypeName = type
            allExtensionNumbersResponse.extensionNumber = numbers
        case .services(let names):
            listServicesResponse.service = names.map { name in
                var service = Grpc_Reflection_V1_ServiceResponse()
                service.name = name
                return service
            }
        case .notFound(let sentence):
            errorResponse.errorCode = ReflectionAnswer.notFoundCode
            errorResponse.errorMessage = sentence
        case .invalid(let sentence):
            errorResponse.errorCode = ReflectionAnswer.invalidArgumentCode
            errorResponse.errorMessage = sentence
        }
    }
}

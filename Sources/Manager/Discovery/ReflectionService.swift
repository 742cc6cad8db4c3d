import GRPCCore
import GRPCProtobuf
import ManagerAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `ServerReflection` of `grpc.reflection`: what the server has, for clients without `.proto` files.
///
/// Under the names of `v1` and of `v1alpha`, whose messages have the same fields.
struct ReflectionService: RegistrableRPCService {
    static let names = [
        Grpc_Reflection_V1_ServerReflection.descriptor,
        ServiceDescriptor(fullyQualifiedService: "grpc.reflection.v1alpha.ServerReflection"),
    ]

    let pool: DescriptorPool
    /// Full names.
    let services: [String]

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        typealias Method = Grpc_Reflection_V1_ServerReflection.Method.ServerReflectionInfo
        for service in Self.names {
            router.registerHandler(
                forMethod: MethodDescriptor(
                    service: service, method: Method.descriptor.method),
                deserializer: ProtobufDeserializer<Method.Input>(),
                serializer: ProtobufSerializer<Method.Output>()
            ) { request, _ in
                StreamingServerResponse { writer in
                    for try await message in request.messages {
                        let answer = ReflectionAnswer(
                            message.question, pool: pool, services: services)
                        try await writer.write(.init(answer, to: message))
                    }
                    return [:]
                }
            }
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

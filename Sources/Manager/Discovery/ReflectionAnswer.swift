/// A question of reflection, apart from the version of its wire.
package enum ReflectionQuestion: Sendable, Hashable {
    case file(name: String)
    case symbol(String)
    case extensionOf(type: String, number: Int32)
    case extensionNumbers(of: String)
    case services
    /// A request with nothing in it, or of a version to come.
    case nothing
}

/// What reflection answers.
package enum ReflectionAnswer: Sendable, Hashable {
    case files([DescriptorPool.File])
    case extensionNumbers(type: String, [Int32])
    case services([String])
    /// Codes of `google.rpc.Code`; the stream goes on.
    case notFound(String)
    case invalid(String)

    /// - Parameter services: what the server has; the pool may know more.
    package init(_ question: ReflectionQuestion, pool: DescriptorPool, services: [String]) {
        switch question {
        case .file(let name):
            self = Self.files(pool.files(named: name), "file \(name)")
        case .symbol(let name):
            self = Self.files(pool.files(declaring: name), "symbol \(name)")
        case .extensionOf(let type, let number):
            self = Self.files(
                pool.files(extending: type, number: number), "extension \(number) of \(type)")
        case .extensionNumbers(let type):
            self =
                pool.extensionNumbers(of: type).map { .extensionNumbers(type: type, $0) }
                ?? .notFound("there is no message \(type)")
        case .services:
            self = .services(services)
        case .nothing:
            self = .invalid("the request asks for nothing that is known")
        }
    }

    private static func files(_ files: [DescriptorPool.File]?, _ what: String) -> Self {
        files.map(Self.files) ?? .notFound("there is no \(what)")
    }

    /// Of `google.rpc.Code`.
    static let notFoundCode: Int32 = 5
    static let invalidArgumentCode: Int32 = 3
}

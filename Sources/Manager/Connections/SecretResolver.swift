package import Spec

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads what `valueFrom` names, at each dial, and keeps none of it.
package struct SecretResolver: Sendable {
    /// A secret is a password, a token or a certificate chain.
    package static let largestSecret = 1 << 20

    package struct Unavailable: Error, CustomStringConvertible {
        /// Names the source, never the content.
        package var description: String
    }

    /// `--secrets-dir`; `nil` refuses every `file`.
    package var directory: String?
    /// `--secret-env-prefix`.
    package var environmentPrefix: String
    package var environment: [String: String]
    /// Secrets of the sidecar's stores, fetched for one dial before its other secrets are read.
    var fetched: [SecretSource: FetchedSecret] = [:]

    package init(
        directory: String?, environmentPrefix: String, environment: [String: String]
    ) {
        self.directory = directory
        self.environmentPrefix = environmentPrefix
        self.environment = environment
    }

    /// Blocks on the file system: not for an event loop.
    package func bytes(of value: Value) throws(Unavailable) -> [UInt8] {
        switch value {
        case .literal(let text): [UInt8](text.utf8)
        case .secret(.environment(let name)): try environmentValue(name)
        case .secret(.file(let path)): try fileContent(path)
        case .secret(let source): try daprSecret(source)
        }
    }

    package func text(of value: Value) throws(Unavailable) -> String {
        if case .literal(let text) = value { return text }
        let content = try bytes(of: value)
        guard let text = String(validating: content, as: UTF8.self) else {
            throw Unavailable(description: "secret \(value.source) is not UTF-8 text")
        }
        return text
    }

    private func daprSecret(_ source: SecretSource) throws(Unavailable) -> [UInt8] {
        switch fetched[source] {
        case .content(let content): return content
        case .unavailable(let sentence):
            throw Unavailable(description: "secret \(source) is not to be had: \(sentence)")
        case nil:
            throw Unavailable(
                description: "secret \(source) is refused: the server has no Dapr sidecar "
                    + "(--state dapr or --bus dapr)")
        }
    }

    private func environmentValue(_ name: String) throws(Unavailable) -> [UInt8] {
        guard name.hasPrefix(environmentPrefix) else {
            throw Unavailable(
                description: "secret env:\(name) is refused: the name must start with "
                    + "\(environmentPrefix) (--secret-env-prefix)")
        }
        guard let value = environment[name] else {
            throw Unavailable(
                description: "secret env:\(name) is not set in the server's environment")
        }
        return [UInt8](value.utf8)
    }

    private func fileContent(_ path: String) throws(Unavailable) -> [UInt8] {
        guard let directory else {
            throw Unavailable(
                description: "secret file:\(path) is refused: the server runs without "
                    + "--secrets-dir")
        }
        guard let root = Self.realPath(directory),
            let file = Self.realPath(path.hasPrefix("/") ? path : directory + "/" + path)
        else {
            throw Unavailable(description: "secret file:\(path) is not there")
        }
        guard file.hasPrefix(root == "/" ? root : root + "/") else {
            throw Unavailable(
                description: "secret file:\(path) is refused: it leads out of --secrets-dir")
        }
        guard let content = try? Data(contentsOf: URL(filePath: file)) else {
            throw Unavailable(description: "secret file:\(path) cannot be read")
        }
        guard content.count <= Self.largestSecret else {
            throw Unavailable(
                description: "secret file:\(path) is larger than \(Self.largestSecret) bytes")
        }
        var bytes = [UInt8](content)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return bytes
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

extension Value {
    fileprivate var source: String {
        switch self {
        case .literal: "literal"
        case .secret(let source): source.description
        }
    }
}

import Dapr
import Spec

/// What became of a secret that was asked for.
enum FetchedSecret: Sendable, Hashable {
    case content([UInt8])
    /// Why not; never the content.
    case unavailable(String)
}

/// Fetches secrets from the secret stores of the sidecar, for one dial at a time.
package struct DaprSecrets: Sendable {
    /// Of one call; a dial waits for it.
    static let timeout: Duration = .seconds(5)

    let client: DaprClient

    /// One call for each secret, whatever number of its parts is wanted.
    func fetch(_ sources: [SecretSource]) async -> [SecretSource: FetchedSecret] {
        var fetched: [SecretSource: FetchedSecret] = [:]
        var secrets: [String: Result<[String: String], DaprError>] = [:]
        for case .dapr(let store, let name, let key) in sources {
            let place = store + "/" + name
            let secret: Result<[String: String], DaprError>
            if let known = secrets[place] {
                secret = known
            } else {
                secret = await fetch(name, from: store)
                secrets[place] = secret
            }
            fetched[.dapr(store: store, name: name, key: key)] = Self.part(key, of: secret)
        }
        return fetched
    }

    private func fetch(
        _ name: String, from store: String
    ) async -> Result<[String: String], DaprError> {
        do {
            return .success(try await client.secret(name, from: store, within: Self.timeout))
        } catch {
            return .failure((error as? DaprError) ?? DaprError(.failed, "\(error)"))
        }
    }

    private static func part(
        _ key: String, of secret: Result<[String: String], DaprError>
    ) -> FetchedSecret {
        switch secret {
        case .failure(let error): return .unavailable(error.message)
        case .success(let parts):
            guard let text = parts[key] else {
                return .unavailable("the secret has no part \(key)")
            }
            guard text.utf8.count <= SecretResolver.largestSecret else {
                return .unavailable("it is larger than \(SecretResolver.largestSecret) bytes")
            }
            return .content([UInt8](text.utf8))
        }
    }
}

extension ConnectionSpec {
    /// The secrets of Dapr's stores that a dial needs.
    var daprSecrets: [SecretSource] {
        secretSources.filter { if case .dapr = $0 { true } else { false } }
    }

    /// Whether a dial reads files.
    var readsFiles: Bool {
        secretSources.contains { if case .file = $0 { true } else { false } }
    }

    private var secretSources: [SecretSource] {
        // As most are; asked twice for each dial.
        if headers.isEmpty, onOpen.isEmpty, tls.ca == nil, tls.cert == nil, tls.key == nil {
            return []
        }
        let values =
            headers.values + [tls.ca, tls.cert, tls.key].compactMap { $0 }
            + onOpen.map { message in
                switch message {
                case .text(let value), .base64(let value): value
                }
            }
        return values.compactMap { value in
            if case .secret(let source) = value { source } else { nil }
        }
    }
}

/// A string that is either written in the manifest or fetched by the instance that dials.
package enum Value: Sendable, Hashable {
    /// Taken to the letter; never a template.
    case literal(String)
    /// Resolved at each dial, never stored or printed resolved.
    case secret(SecretSource)
}

/// Where the content of a secret comes from.
package enum SecretSource: Sendable, Hashable, CustomStringConvertible {
    /// An environment variable of the server; its name starts with `--secret-env-prefix`.
    case environment(String)
    /// A file below the server's `--secrets-dir`.
    case file(String)
    /// A part of a secret of a secret store behind the server's Dapr sidecar.
    case dapr(store: String, name: String, key: String)

    package var description: String {
        switch self {
        case .environment(let name): "env:\(name)"
        case .file(let path): "file:\(path)"
        case .dapr(let store, let name, let key): "dapr:\(store)/\(name)/\(key)"
        }
    }
}

package import Spec

/// Where a value came from, as `--print-config` and errors name it.
package enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
    case flag(String)
    case environment(String)
    case file(SourcePosition)
    case standard

    package var kind: String {
        switch self {
        case .flag: "flag"
        case .environment: "environment"
        case .file: "file"
        case .standard: "default"
        }
    }

    /// `flag --grpc-port`, `environment WSM_GRPC_PORT`, `file wsm.yaml:3`, `default`.
    package var description: String {
        switch self {
        case .flag(let name): "flag \(name)"
        case .environment(let name): "environment \(name)"
        case .file(let position): "file \(position.file):\(position.line)"
        case .standard: "default"
        }
    }
}

/// What the program knows about the machine it runs on.
package struct HostFacts: Sendable {
    package var hostName: String
    package var isRoot: Bool

    package init(hostName: String, isRoot: Bool) {
        self.hostName = hostName
        self.isRoot = isRoot
    }
}

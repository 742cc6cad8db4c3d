/// Which server a command talks to and how, each value with where it comes from: a flag, else the
/// environment, else the context, else the default.
struct ConnectionSettings: Sendable, Equatable {
    enum Origin: Sendable, Equatable, CustomStringConvertible {
        case flag(String)
        case environment(String)
        case context(String)
        /// `currentContext` of this file.
        case file(String)
        case standard

        var description: String {
            switch self {
            case .flag(let name): name
            case .environment(let name): name
            case .context(let name): "context \(name)"
            case .file(let path): path
            case .standard: "default"
            }
        }
    }

    struct Setting<Value: Sendable & Equatable>: Sendable, Equatable {
        var value: Value
        var origin: Origin
    }

    /// Name of the context in use.
    var context: Setting<String>?
    var server: Setting<ServerAddress>
    var ca: Setting<String>?
    var cert: Setting<String>?
    var key: Setting<String>?
    var tokenFile: Setting<String>?
    var tls: Setting<Bool>
    /// Lets a token travel in plain text.
    var insecure: Setting<Bool>

    /// - Throws: A ``CommandFailure`` naming flag, variable or file and line.
    init(
        server: ServerAddress?, access: AccessOptions, environment: [String: String]
    ) throws(CommandFailure) {
        let file = try ContextsFile.load(environment)
        let context = try Self.context(access.context, environment, file)
        self.context = context.map { Setting(value: $0.context.name, origin: $0.origin) }
        let source = Source(
            environment: environment, context: context?.context,
            directory: Self.directory(of: file.path))
        self.server = try source.server(server)
        ca = source.path(access.ca, "ca", "WSM_CA", "ca")
        cert = source.path(access.cert, "cert", "WSM_CERT", "cert")
        key = source.path(access.key, "key", "WSM_KEY", "key")
        tokenFile = source.path(access.tokenFile, "token-file", "WSM_TOKEN_FILE", "tokenFile")
        tls = try source.flag(access.tls, "tls", "WSM_TLS", context?.context.usesTLS)
        insecure = try source.flag(access.insecure, "insecure", "WSM_INSECURE", nil)
        if let given = ca ?? cert ?? key, !tls.value {
            tls = Setting(value: true, origin: given.origin)
        }
        try check()
    }

    private static func context(
        _ flag: String?, _ environment: [String: String], _ file: ContextsFile
    ) throws(CommandFailure) -> (context: ContextsFile.Context, origin: Origin)? {
        let wanted: Setting<String>
        if let flag {
            wanted = Setting(value: flag, origin: .flag("--context"))
        } else if let name = environment["WSM_CONTEXT"], !name.isEmpty {
            wanted = Setting(value: name, origin: .environment("WSM_CONTEXT"))
        } else if let name = file.current {
            wanted = Setting(value: name, origin: .file(file.path))
        } else {
            return nil
        }
        guard let context = file[wanted.value] else {
            let known = file.contexts.map(\.name).joined(separator: ", ")
            throw .usage(
                "\(wanted.origin) is \"\(wanted.value)\": "
                    + (known.isEmpty
                        ? "there are no contexts in \(file.path)" : "there are \(known)"))
        }
        return (context, wanted.origin)
    }

    private static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    private func check() throws(CommandFailure) {
        if let cert, key == nil {
            throw .usage("\(cert.origin) gives a certificate: its --key is missing")
        }
        if let key, cert == nil {
            throw .usage("\(key.origin) gives a key: its --cert is missing")
        }
        guard let tokenFile, !tls.value, !server.value.isLoopback, !insecure.value else { return }
        throw .usage(
            "the token (\(tokenFile.origin)) would travel to \(server.value) in plain text: use "
                + "--tls, or --ca FILE; or --insecure to send it all the same")
    }

    /// Credentials of a context that go to a server which is not the context's.
    var strayCredentials: String? {
        guard let context, server.origin != .context(context.value) else { return nil }
        let stray = [tokenFile, cert].contains { $0?.origin == .context(context.value) }
        guard stray else { return nil }
        return "the credentials of context \(context.value) go to \(server.value) "
            + "(\(server.origin))"
    }

    /// The places values are taken from, in their order.
    private struct Source {
        var environment: [String: String]
        var context: ContextsFile.Context?
        /// What paths of the context are relative to.
        var directory: String

        func path(
            _ given: String?, _ flag: String, _ variable: String, _ key: String
        ) -> Setting<String>? {
            if let given { return Setting(value: given, origin: .flag("--\(flag)")) }
            if let text = environment[variable], !text.isEmpty {
                return Setting(value: text, origin: .environment(variable))
            }
            guard let context, let text = context.values[key] else { return nil }
            return Setting(
                value: text.hasPrefix("/") ? text : "\(directory)/\(text)",
                origin: .context(context.name))
        }

        func server(_ given: ServerAddress?) throws(CommandFailure) -> Setting<ServerAddress> {
            if let given { return Setting(value: given, origin: .flag("--server")) }
            if let text = environment["WSM_SERVER"], !text.isEmpty {
                guard let address = ServerAddress(text) else {
                    throw .usage("WSM_SERVER is \"\(text)\": it should be HOST:PORT")
                }
                return Setting(value: address, origin: .environment("WSM_SERVER"))
            }
            if let context, let address = context.values["server"].flatMap({ ServerAddress($0) }) {
                return Setting(value: address, origin: .context(context.name))
            }
            return Setting(value: .standard, origin: .standard)
        }

        func flag(
            _ given: Bool, _ flag: String, _ variable: String, _ ofContext: Bool?
        ) throws(CommandFailure) -> Setting<Bool> {
            if given { return Setting(value: true, origin: .flag("--\(flag)")) }
            if let text = environment[variable], !text.isEmpty {
                guard let value = Bool(text) else {
                    throw .usage("\(variable) is \"\(text)\": it should be true or false")
                }
                return Setting(value: value, origin: .environment(variable))
            }
            if let context, let ofContext {
                return Setting(value: ofContext, origin: .context(context.name))
            }
            return Setting(value: false, origin: .standard)
        }
    }
}

import Spec

/// The environment of the process, as settings are looked for in it.
struct ServerEnvironment: Sendable {
    let variables: [String: String]
    /// Names in small letters; of names that differ by case only, the first in order.
    private let folded: [String: String]

    init(_ variables: [String: String]) {
        self.variables = variables
        folded = Dictionary(
            variables.keys.sorted().map { ($0.lowercased(), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// What the environment says about a setting, in the form of its flag; an empty variable says
    /// nothing.
    ///
    /// - Throws: ``Fault`` if a variable's own form is wrong.
    func given(_ setting: Setting) throws(Fault) -> (texts: [String], name: String)? {
        if let text = variables[setting.variable], !text.isEmpty {
            return ([text], setting.variable)
        }
        for alias in setting.aliases {
            if let found = try given(alias) { return found }
        }
        return nil
    }

    struct Fault: Error {
        var name: String
        var text: String
        var sentence: String
    }

    private func given(_ alias: Setting.Alias) throws(Fault) -> (texts: [String], name: String)? {
        if alias.form == .indexed { return elements(alias.name) }
        guard let (name, text) = variable(alias.name) else { return nil }
        switch alias.form {
        case .same, .indexed:
            return ([text], name)
        case .milliseconds:
            guard let number = Int(text), number >= 0 else {
                throw Fault(
                    name: name, text: text, sentence: "it must be a whole number of milliseconds")
            }
            return ([number == 0 ? "0s" : "\(number)ms"], name)
        case .attempts:
            // There, 0 attempts are none at all.
            return ([text == "0" ? SettingKind.noAttempts : text], name)
        }
    }

    /// `NAME__0`, `NAME__1`, …: up to the first that is missing.
    private func elements(_ name: String) -> (texts: [String], name: String)? {
        var texts: [String] = []
        while let (_, text) = variable("\(name)__\(texts.count)") { texts.append(text) }
        return texts.isEmpty ? nil : (texts, "\(name)__0")
    }

    private func variable(_ name: String) -> (name: String, text: String)? {
        let found = variables[name] == nil ? folded[name.lowercased()] ?? name : name
        guard let text = variables[found], !text.isEmpty else { return nil }
        return (found, text)
    }
}

// MARK: Names nobody reads

extension ServerEnvironment {
    /// Variables of `wsm-apply` and of the tests, which a server may well find in its environment.
    private static let ofOthers: Set<String> = [
        "WSM_SERVER", "WSM_CONTEXT", "WSM_CONFIG", "WSM_CA", "WSM_CERT", "WSM_KEY", "WSM_TOKEN",
        "WSM_TOKEN_FILE", "WSM_TLS", "WSM_INSECURE", "WSM_SET", "WSM_OUTPUT", "WSM_FIELD_MANAGER",
        "WSM_RUN_SECONDS", "WSM_BIN", "WSM_REWRITE",
    ]
    /// What the server calls a setting whose usual name `wsm-apply` has taken. Somebody who sets the
    /// wrong one may believe that callers are told apart.
    private static let ownName = [
        "WSM_TOKEN_FILE": "WSM_SERVER_TOKEN_FILE", "WSM_INSECURE": "WSM_SERVER_INSECURE",
        "WSM_CONFIG": "WSM_CONFIG_FILE",
    ]
    /// Of the older service, about things that are different here.
    private static let ofTheOlder: Set<String> = [
        "WSM_GRPC_HOST", "WSM_PEER_DEFAULT_HOST", "WSM_PEER_DEFAULT_PORT",
    ]

    /// A warning for each `WSM_…` variable that is no setting: most are mistyped.
    ///
    /// - Parameter secretPrefix: names that begin with it are secrets of manifests.
    func unknownVariables(secretPrefix: String) -> [String] {
        let known = SettingTable.settings.map(\.variable)
        let expected = Set(known).union(Self.ofOthers)
        return variables.keys.sorted().compactMap { name in
            if let own = Self.ownName[name], variables[own] == nil {
                return "\(name) is a variable of wsm-apply; the server reads \(own)"
            }
            guard name.hasPrefix("WSM_"), !expected.contains(name),
                !name.hasPrefix(secretPrefix), !name.hasPrefix("WSM_SECRET_"),
                !Self.isServiceLink(name, variables[name] ?? "")
            else { return nil }
            if Self.ofTheOlder.contains(name) {
                return "\(name) has no effect: it is a setting of the older service"
            }
            return "\(name) is no setting of this version" + Suggestion.hint(name, among: known)
        }
    }

    /// Kubernetes and Docker describe a service called `wsm…` by such variables.
    private static func isServiceLink(_ name: String, _ text: String) -> Bool {
        name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT")
            || text.hasPrefix("tcp://") || text.hasPrefix("udp://")
            || ["_TCP_ADDR", "_TCP_PORT", "_TCP_PROTO", "_UDP_ADDR", "_UDP_PORT", "_UDP_PROTO"]
                .contains { name.hasSuffix($0) }
    }
}

/// All routes of the contract, found by path and method.
///
/// A literal segment wins over a variable, whatever the order of the protos.
struct RouteTable: Sendable {
    struct Route: Sendable {
        var method: MethodSchema
        var rule: HTTPRule
        var segments: [Segment]

        /// Fields that the path gives.
        var variables: [String] {
            segments.compactMap { if case .variable(let name) = $0 { name } else { nil } }
        }
    }

    enum Segment: Sendable, Hashable {
        case literal(String)
        /// Name of a field of the request message.
        case variable(String)
    }

    enum Match: Sendable {
        case route(Route, variables: [(name: String, value: String)])
        /// The path is there, with these methods only.
        case otherMethods([String])
        case none
    }

    private(set) var routes: [Route] = []

    /// - Throws: ``ProtoSchema/Problem`` for a rule this program cannot serve.
    init(_ schema: ProtoSchema) throws(ProtoSchema.Problem) {
        for method in schema.methods {
            for rule in method.rules {
                let segments = try Self.segments(of: rule.path)
                let message = try schema.message(method.input)
                let route = Route(method: method, rule: rule, segments: segments)
                for name in route.variables where message.field(named: name)?.kind != .string {
                    throw ProtoSchema.Problem(
                        description: "\(rule.path): \(name) is no string field of \(method.input)")
                }
                routes.append(route)
            }
        }
    }

    func match(method: String, segments: [String]) -> Match {
        let found = routes.filter { Self.fits($0.segments, segments) }
            .sorted { Self.isMoreExact($0.segments, $1.segments) }
        guard let best = found.first else { return .none }
        // A more exact path hides a less exact one, also where it lacks the method.
        let equal = found.filter { !Self.isMoreExact(best.segments, $0.segments) }
        guard let route = equal.first(where: { $0.rule.method == method }) else {
            return .otherMethods(Set(equal.map(\.rule.method)).sorted())
        }
        var variables: [(name: String, value: String)] = []
        for (segment, value) in zip(route.segments, segments) {
            if case .variable(let name) = segment { variables.append((name, value)) }
        }
        return .route(route, variables: variables)
    }

    private static func fits(_ pattern: [Segment], _ path: [String]) -> Bool {
        guard pattern.count == path.count else { return false }
        return zip(pattern, path).allSatisfy { segment, text in
            switch segment {
            case .literal(let literal): literal == text
            case .variable: !text.isEmpty
            }
        }
    }

    /// Has a literal at the first place where the two differ in kind.
    private static func isMoreExact(_ one: [Segment], _ other: [Segment]) -> Bool {
        for (left, right) in zip(one, other) {
            switch (left, right) {
            case (.literal, .variable): return true
            case (.variable, .literal): return false
            default: continue
            }
        }
        return false
    }

    private static func segments(of path: String) throws(ProtoSchema.Problem) -> [Segment] {
        guard path.hasPrefix("/") else {
            throw ProtoSchema.Problem(description: "\(path) does not begin with /")
        }
        return try path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map { part throws(ProtoSchema.Problem) in
                guard part.contains(where: { "{}*=:".contains($0) }) else {
                    return .literal(String(part))
                }
                let name = part.dropFirst().dropLast()
                guard part.hasPrefix("{"), part.hasSuffix("}"),
                    !name.contains(where: { "{}*=:.".contains($0) })
                else {
                    throw ProtoSchema.Problem(
                        description: "\(path): a variable must be a whole segment")
                }
                return .variable(String(name))
            }
    }
}

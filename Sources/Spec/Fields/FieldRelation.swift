/// A rule between fields: fills in a default that depends on others, and finds contradictions.
///
/// A default gives way to what was written; only two written values can contradict each other.
struct FieldRelation: Sendable {
    struct Problem {
        var mark: Mark
        var path: String
        var message: String
    }

    /// The fields it looks at.
    let paths: [String]
    let resolve: @Sendable (inout SpecDraft) -> Problem?

    static let all: [FieldRelation] =
        phases
        + [
            backoff, bufferBytes, tlsNeedsSecureURL, clientCertificate, correlationMatch,
            correlationField, batchNeedsOrder,
        ]

    private static let phases: [FieldRelation] = [
        phase("resolve", SpecPlace({ $0.timeouts.resolve }, { $0.timeouts.resolve = $1 })),
        phase("connect", SpecPlace({ $0.timeouts.connect }, { $0.timeouts.connect = $1 })),
        phase("tls", SpecPlace({ $0.timeouts.tls }, { $0.timeouts.tls = $1 })),
        phase("upgrade", SpecPlace({ $0.timeouts.upgrade }, { $0.timeouts.upgrade = $1 })),
    ]

    /// The dial takes at least as long as each of its phases.
    private static func phase(_ name: String, _ place: SpecPlace<Duration>) -> FieldRelation {
        let path = "timeouts.\(name)"
        return FieldRelation(paths: ["timeouts.dial", path]) { draft in
            let phase = place.get(draft.spec)
            guard draft.spec.timeouts.dial < phase else { return nil }
            guard let dialMark = draft.mark("timeouts.dial") else {
                draft.spec.timeouts.dial = phase
                return nil
            }
            guard draft.isWritten(path) else {
                place.set(&draft.spec, draft.spec.timeouts.dial)
                return nil
            }
            return Problem(
                mark: dialMark, path: "timeouts.dial",
                message: "\(DurationText.format(draft.spec.timeouts.dial)) is less than "
                    + "\(path), \(DurationText.format(phase)), which is a part of it")
        }
    }

    private static let backoff = FieldRelation(paths: ["reconnect.base", "reconnect.cap"]) {
        draft in
        let reconnect = draft.spec.reconnect
        guard reconnect.cap < reconnect.base else { return nil }
        guard let capMark = draft.mark("reconnect.cap") else {
            draft.spec.reconnect.cap = reconnect.base
            return nil
        }
        guard draft.isWritten("reconnect.base") else {
            draft.spec.reconnect.base = reconnect.cap
            return nil
        }
        return Problem(
            mark: capMark, path: "reconnect.cap",
            message: "\(DurationText.format(reconnect.cap)) is less than reconnect.base, "
                + DurationText.format(reconnect.base))
    }

    private static let bufferBytes = FieldRelation(paths: ["maxMessageSize", "buffer.bytes"]) {
        draft in
        let size = draft.spec.maxMessageSize
        guard let mark = draft.mark("buffer.bytes") else {
            draft.spec.buffer.bytes = max(8 << 20, 2 * size)
            return nil
        }
        guard draft.spec.buffer.bytes < size else { return nil }
        return Problem(
            mark: mark, path: "buffer.bytes",
            message: "\(SizeText.format(draft.spec.buffer.bytes)) is less than maxMessageSize, "
                + SizeText.format(size))
    }

    private static let tlsNeedsSecureURL = FieldRelation(paths: ["url"]) { draft in
        guard let mark = draft.tlsMark, let endpoint = try? Endpoint.parse(draft.spec.url),
            !endpoint.isSecure
        else { return nil }
        return Problem(mark: mark, path: "tls", message: "tls stands with a wss:// URL only")
    }

    private static let clientCertificate = FieldRelation(paths: ["tls.cert", "tls.key"]) { draft in
        switch (draft.mark("tls.cert"), draft.mark("tls.key")) {
        case (let mark?, nil):
            Problem(mark: mark, path: "tls.cert", message: "tls.key is missing beside it")
        case (nil, let mark?):
            Problem(mark: mark, path: "tls.key", message: "tls.cert is missing beside it")
        default:
            nil
        }
    }

    private static let correlationMatch = FieldRelation(
        paths: ["correlation.mode", "correlation.match"]
    ) { draft in
        guard let mark = draft.mark("correlation.match"), draft.spec.correlation.mode != .next
        else { return nil }
        return Problem(
            mark: mark, path: "correlation.match",
            message: "match stands with correlation.mode next only, not with "
                + draft.spec.correlation.mode.rawValue)
    }

    private static let batchNeedsOrder = FieldRelation(paths: ["publish.order", "publish.batch"]) {
        draft in
        guard let mark = draft.mark("publish.batch"), draft.spec.publish.batch == .array,
            draft.spec.publish.order == .none
        else { return nil }
        return Problem(
            mark: mark, path: "publish.batch",
            message: "batch array stands with publish.order strict only: an array is in order")
    }

    private static let correlationField = FieldRelation(
        paths: ["correlation.mode", "correlation.field"]
    ) { draft in
        let mode = draft.spec.correlation.mode
        guard let mark = draft.mark("correlation.field"), mode != .auto, mode != .jsonField
        else { return nil }
        return Problem(
            mark: mark, path: "correlation.field",
            message: "field stands with correlation.mode auto or jsonField only, not with "
                + mode.rawValue)
    }
}

extension SpecDraft {
    /// What is allowed and yet worth a word: field path and sentence.
    var warnings: [FieldRelation.Problem] {
        var warnings: [FieldRelation.Problem] = []
        if let mark = mark("tls.insecureSkipVerify"), spec.tls.insecureSkipVerify {
            warnings.append(
                FieldRelation.Problem(
                    mark: mark, path: "tls.insecureSkipVerify",
                    message: "the server's certificate is not checked: anyone may answer for it"))
        }
        if let mark = mark("requireSubprotocol"), spec.requireSubprotocol,
            !isWritten("subprotocols")
        {
            warnings.append(
                FieldRelation.Problem(
                    mark: mark, path: "requireSubprotocol",
                    message: "no subprotocols are offered, so every dial will fail"))
        }
        if spec.compression.mode == .off,
            let (path, mark) = FieldTable.compression.lazy.dropFirst()
                .compactMap({ field in self.mark(field.path).map { (field.path, $0) } }).first
        {
            warnings.append(
                FieldRelation.Problem(
                    mark: mark, path: path,
                    message: "compression.mode is off, so nothing is compressed"))
        }
        return warnings
    }
}

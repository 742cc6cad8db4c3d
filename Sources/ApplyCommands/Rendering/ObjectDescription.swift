internal import ManagerAPI
internal import Spec

/// What `describe` prints: the facts one would ask for first at the top.
struct ObjectDescription {
    private static let column = 16

    let object: Wsm_V1_Object
    private let manifest: JSONValue
    private let status: JSONValue

    init(object: Wsm_V1_Object) {
        self.object = object
        manifest = (try? JSONValue.parse([UInt8](object.json))) ?? .null
        status = manifest["status"] ?? .null
    }

    func text(_ canvas: Canvas) -> String {
        var lines = identity
        if object.kind == ObjectKind.connectionSet.rawValue {
            lines.append(("Status", Self.join([object.phase, object.reason, object.message])))
        } else {
            lines += life(canvas)
            lines.append(("Messages", messages))
        }
        if isUnverified { lines.append(("Warning", Self.unverified)) }
        var text = lines.filter { !$0.value.isEmpty }
            .map { Self.line($0.key, $0.value, canvas.style) }.joined()
        text += conditions(canvas)
        text += section("Spec", manifest["spec"], canvas.style)
        return text
    }

    private static let unverified =
        "tls.insecureSkipVerify: the server's certificate is not checked"

    private var isUnverified: Bool {
        let spec = manifest["spec"]?["template"]?["spec"] ?? manifest["spec"]
        return spec?["tls"]?["insecureSkipVerify"] == .bool(true)
    }

    private var identity: [(key: String, value: String)] {
        let metadata = manifest["metadata"]
        return [
            ("Name", object.name), ("Kind", object.kind),
            ("Apply set", object.set), ("Connection set", object.connectionSet),
            ("Labels", Self.pairs(metadata?["labels"])),
            ("Annotations", Self.pairs(metadata?["annotations"])),
            ("Generation", "\(object.generation), observed \(object.observedGeneration)"),
        ]
    }

    private func life(_ canvas: Canvas) -> [(key: String, value: String)] {
        let connected = object.connectedAt
        var next = ConnectionText.nextAttempt(object, now: canvas.now) ?? ""
        if !next.isEmpty, object.attempt > 0 { next += ", attempt \(object.attempt)" }
        return [
            ("URL", object.url), ("Topic", object.topic),
            ("Phase", object.phase + (object.ready ? ", Ready" : ", not Ready")),
            ("Reason", object.ready ? "" : Self.join([object.reason, object.message])),
            ("Connected", connected > 0 ? ConnectionText.time(connected, now: canvas.now) : ""),
            ("Remote", Self.scalar(status["remoteAddress"])),
            ("Subprotocol", Self.scalar(status["subprotocol"])),
            ("Compression", Self.scalar(status["compression"])),
            ("Next attempt", next),
            ("Last error", lastError(canvas.now)), ("Last close", lastClose(canvas.now)),
        ]
    }

    private func lastError(_ now: Int64) -> String {
        guard let error = status["lastError"] else { return object.lastError }
        let text = Self.join(["class", "code", "message"].map { Self.scalar(error[$0]) })
        return text.isEmpty ? object.lastError : text + Self.when(error["at"], now)
    }

    private func lastClose(_ now: Int64) -> String {
        guard let close = status["lastClose"], case .object = close else { return "" }
        var text = Self.scalar(close["code"])
        let reason = Self.scalar(close["reason"])
        let by = Self.scalar(close["by"])
        if !reason.isEmpty { text += " \"\(reason)\"" }
        if !by.isEmpty { text += " by \(by)" }
        return text + Self.when(close["at"], now)
    }

    private var messages: String {
        var parts = ["received \(object.received)", "published \(object.published)"]
        let buffered = Self.scalar(status["buffered"]?["messages"])
        if !buffered.isEmpty { parts.append("buffered \(buffered)") }
        var dropped = "dropped \(object.dropped)"
        let reasons = Self.pairs(status["dropped"])
        if object.dropped > 0, !reasons.isEmpty { dropped += " (\(reasons))" }
        return (parts + [dropped]).joined(separator: ", ")
    }

    private func conditions(_ canvas: Canvas) -> String {
        guard case .array(let items)? = status["conditions"], !items.isEmpty else { return "" }
        var table = Table(columns: [
            .init(title: "CONDITION"), .init(title: "STATUS"), .init(title: "REASON"),
            .init(title: "SINCE"), .init(title: "MESSAGE", shrink: .end(16)),
        ])
        table.rows = items.map { item in
            let since = TimeText.unixSeconds(rfc3339: Self.scalar(item["lastTransitionTime"]))
            return [
                Self.scalar(item["type"]), Self.scalar(item["status"]),
                Self.scalar(item["reason"]),
                since.map { ConnectionText.time($0, now: canvas.now) } ?? "-",
                Self.scalar(item["message"]),
            ]
        }
        let text = table.render(width: canvas.width, style: canvas.style)
        return "\n" + text
    }

    private func section(_ title: String, _ json: JSONValue?, _ style: Style) -> String {
        guard let json else { return "" }
        let lines = ManifestRenderer.yaml(json).split(separator: "\n").map {
            "  " + TerminalText.safe(String($0)) + "\n"
        }
        return "\n" + style("\(title):", .heading) + "\n" + lines.joined()
    }

    private static func line(_ key: String, _ value: String, _ style: Style) -> String {
        let gap = String(repeating: " ", count: max(1, column - key.utf8.count - 1))
        return style(key + ":", .heading) + gap + TerminalText.singleLine(value) + "\n"
    }

    private static func when(_ time: JSONValue?, _ now: Int64) -> String {
        guard let seconds = TimeText.unixSeconds(rfc3339: scalar(time)) else { return "" }
        return ", \(ConnectionText.time(seconds, now: now))"
    }

    private static func join(_ parts: [String]) -> String {
        parts.filter { !$0.isEmpty }.joined(separator: ": ")
    }

    /// `a=b, c=d`
    private static func pairs(_ json: JSONValue?) -> String {
        guard case .object(let members)? = json else { return "" }
        return members.map { "\($0.key)=\(scalar($0.value))" }.joined(separator: ", ")
    }

    private static func scalar(_ json: JSONValue?) -> String {
        switch json {
        case .string(let text): TerminalText.singleLine(text)
        case .number(let text): text
        case .bool(let bool): bool ? "true" : "false"
        default: ""
        }
    }
}

internal import ManagerAPI
internal import Spec

/// What `history` prints: newest first.
struct HistoryReport: Presentable {
    private static let shortDigest = 12

    let set: String
    let revisions: [Wsm_V1_SetRevision]

    func table(_ canvas: Canvas) -> String {
        var table = Table(columns: [
            .init(title: "REVISION", isNumber: true), .init(title: "WHEN"),
            .init(title: "BY", shrink: .end(8)), .init(title: "DIGEST", dropOrder: 0),
            .init(title: "ROLLBACK"), .init(title: "SUMMARY", shrink: .end(20)),
        ])
        table.rows = revisions.map { revision in
            let digest =
                canvas.isWide ? revision.digest : String(revision.digest.prefix(Self.shortDigest))
            return [
                String(revision.number), TimeText.rfc3339(revision.at),
                revision.by.isEmpty ? "-" : revision.by, digest.isEmpty ? "-" : digest,
                revision.canRollBack ? "yes" : "no", revision.summary,
            ].map(TerminalText.singleLine)
        }
        return table.render(width: canvas.width, style: canvas.style)
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", ManifestVersion.v1)
        object.text("kind", "History")
        object.text("set", set)
        object.list("revisions", revisions.map(Self.json))
        return object.object
    }

    var names: [String] { revisions.map { "\(set)/\($0.number)" } }

    private static func json(_ revision: Wsm_V1_SetRevision) -> JSONValue {
        var object = JSONObjectBuilder()
        object.number("revision", revision.number)
        object.timeIfAny("at", revision.at)
        object.text("by", revision.by)
        object.text("digest", revision.digest)
        object.text("summary", revision.summary)
        object.bool("canRollBack", revision.canRollBack)
        return object.object
    }
}

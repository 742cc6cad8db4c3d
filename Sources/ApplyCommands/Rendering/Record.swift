internal import Spec

/// One line of `-o ndjson`: a JSON object whose members are always these five, in this order.
///
/// `time` (RFC 3339, when the line was made), `level`, `type`, `object` (`kind/name`, or empty) and
/// `fields`, whose shape depends on `type`. Members of `fields` are only ever added.
struct Record: Sendable, Equatable {
    enum Level: String, Sendable {
        case info, warning, error
    }

    var level = Level.info
    /// `result`, `summary`, `object`, `diagnostic`, `warning`, `progress` or `wait`.
    var type: String
    /// As results print an object: `connection/btc-trades`.
    var object = ""
    var fields: JSONValue

    /// - Parameter now: Unix seconds.
    func line(now: Int64) -> String {
        var json = JSONObjectBuilder()
        json.text("time", TimeText.rfc3339(now))
        json.text("level", level.rawValue)
        json.text("type", type)
        json.text("object", object)
        json.value("fields", fields)
        return String(decoding: json.object.serialized(), as: UTF8.self) + "\n"
    }
}

extension Session {
    /// Prints a line of `-o ndjson` at once.
    func print(_ record: Record) {
        console.output.write(record.line(now: console.now()))
    }
}

/// One thing the compiler has to say about a manifest.
///
/// Prints as `file:line:col: path: sentence`; a warning carries the word `warning:` before the path.
package struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    package enum Severity: Sendable, Hashable {
        /// The document is refused.
        case error
        /// The document is accepted; its author may want to know.
        case warning
    }

    package let severity: Severity
    package let position: SourcePosition
    /// Where in the object, as `spec.keepalive.pingInterval`; empty where there is no object yet.
    package let path: String
    package let message: String

    package init(severity: Severity, position: SourcePosition, path: String, message: String) {
        self.severity = severity
        self.position = position
        self.path = path
        self.message = message
    }

    package var description: String {
        let word = severity == .warning ? "warning: " : ""
        let place = path.isEmpty ? "" : "\(path): "
        return "\(position): \(word)\(place)\(message)"
    }
}

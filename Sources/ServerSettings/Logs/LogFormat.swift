/// How log lines are written.
package enum LogFormat: String, Sendable, CaseIterable {
    /// `2026-03-04T05:06:07.000008Z info wsm-server: key=value [Module] message`
    case text
    /// One JSON object a line.
    case json
}

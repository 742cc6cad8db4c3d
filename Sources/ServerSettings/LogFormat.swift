/// How log lines are written.
package enum LogFormat: String, Sendable, CaseIterable {
    case text, json
}

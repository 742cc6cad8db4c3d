package import Logging
package import ManagerCore

/// Writes each log event as one line, as text or as JSON, with times in UTC.
///
/// The line is handed to `write` whole and ends with a line feed; `write` may be called from any
/// thread.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level = .info
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let now: @Sendable () -> WallTime
    private let write: @Sendable (_ line: [UInt8]) -> Void

    package init(
        label: String, format: LogFormat, now: @escaping @Sendable () -> WallTime,
        write: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.label = label
        self.format = format
        self.now = now
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var shared = metadata
        if let provided = metadataProvider?.get() { shared.merge(provided) { $1 } }
        if let error = event.error, shared["error"] == nil { shared["error"] = "\(error)" }
        let line = LogLine(
            time: now(), level: event.level, label: label, source: event.source,
            message: event.message.description, metadata: event.metadata ?? [:], shared: shared)
        switch format {
        case .text: write(line.text)
        case .json: write(line.json)
        }
    }
}

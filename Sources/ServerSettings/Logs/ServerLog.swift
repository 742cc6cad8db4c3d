package import Logging
import Manager

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The logger of the program: lines on the standard error.
package enum ServerLog {
    /// - Parameter level: `nil` logs nothing.
    package static func logger(label: String, level: Logger.Level?, format: LogFormat) -> Logger {
        guard let level else {
            return Logger(label: label) { _ in SwiftLogNoOpLogHandler() }
        }
        var logger = Logger(label: label) { label in
            LineLogHandler(
                label: label, format: format, now: ManagerClock.system.wallTime,
                write: writeToStandardError)
        }
        logger.logLevel = level
        return logger
    }

    /// One call for a line, so that lines of two threads do not mix; what the pipe does not take is
    /// lost, since a server must not stop for its log.
    @Sendable private static func writeToStandardError(_ line: [UInt8]) {
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(STDERR_FILENO, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var baseAddress: UnsafeRawPointer? {
        base.baseAddress.map { $0 + startIndex }
    }
}

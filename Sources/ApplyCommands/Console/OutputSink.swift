/// Where a command writes: a standard stream of the process, or a buffer in a test.
package protocol OutputSink: Sendable {
    /// Writes all of it, or nothing any more once the reader has gone.
    func write(_ bytes: [UInt8])
    /// Nothing is written any more: the reader has gone (a closed pipe), or a write failed.
    var isClosed: Bool { get }
    /// Why a write failed, in the system's words; a reader that has gone is no failure.
    var failure: String? { get }
}

extension OutputSink {
    package var failure: String? { nil }

    package func write(_ text: String) {
        write(Array(text.utf8))
    }

    package func line(_ text: String) {
        write(text + "\n")
    }
}

/// Where `-` is read from.
package protocol InputSource: Sendable {
    /// Reads to the end.
    ///
    /// - Parameter limit: Reading stops once more than so many bytes have come.
    /// - Throws: A `CancellationError` once the program is interrupted, or a sentence.
    func readAll(limit: Int) async throws -> [UInt8]
}

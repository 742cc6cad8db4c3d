extension String {
    /// Calls `body` with the bytes of the text, keeping the type of its error.
    @inline(__always)
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var text = self
        let outcome = text.withUTF8 { bytes in
            Swift.Result { () throws(Failure) in try body(bytes) }
        }
        return try outcome.get()
    }

    /// The text, its middle left out where it has more than so many bytes of UTF-8.
    func clipped(_ limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let half = limit / 2
        let head = String(decoding: utf8.prefix(half), as: UTF8.self)
        let tail = String(decoding: utf8.suffix(half), as: UTF8.self)
        return "\(head)…\(tail)"
    }
}

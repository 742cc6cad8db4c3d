import CZlib

/// permessage-deflate as a server speaks it (RFC 7692), written apart from the client's.
package struct CompressionTerms: Sendable, Hashable {
    package var serverKeepsContext = true
    package var clientKeepsContext = true
    package var serverWindowBits = 15
    package var clientWindowBits = 15

    package init() {}

    /// The value of `Sec-WebSocket-Extensions` in the answer; what is as large as can be goes unsaid.
    package var answer: String {
        var parts = ["permessage-deflate"]
        if !self.serverKeepsContext { parts.append("server_no_context_takeover") }
        if !self.clientKeepsContext { parts.append("client_no_context_takeover") }
        if self.serverWindowBits < 15 {
            parts.append("server_max_window_bits=\(self.serverWindowBits)")
        }
        if self.clientWindowBits < 15 {
            parts.append("client_max_window_bits=\(self.clientWindowBits)")
        }
        return parts.joined(separator: "; ")
    }
}

/// Compresses a server's messages.
package final class ServerDeflater {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let keepsContext: Bool

    package init(_ terms: CompressionTerms) {
        self.keepsContext = terms.serverKeepsContext
        self.stream.initialize(to: z_stream())
        let code = deflateInit2_(
            self.stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -Int32(terms.serverWindowBits), 8,
            Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib does not start")
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deallocate()
    }

    package func deflate(_ message: [UInt8]) -> [UInt8] {
        var message = message
        var output = [UInt8](repeating: 0, count: message.count + message.count / 8 + 64)
        message.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                self.stream.pointee.next_in = input.baseAddress
                self.stream.pointee.avail_in = UInt32(input.count)
                self.stream.pointee.next_out = output.baseAddress
                self.stream.pointee.avail_out = UInt32(output.count)
                CZlib.deflate(self.stream, Z_SYNC_FLUSH)
            }
        }
        precondition(self.stream.pointee.avail_out > 0, "no room for the output")
        output.removeLast(Int(self.stream.pointee.avail_out) + 4)
        if !self.keepsContext { deflateReset(self.stream) }
        return output
    }
}

/// Inflates a client's messages, in no larger a window than was agreed on.
package final class ServerInflater {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let keepsContext: Bool

    package init(_ terms: CompressionTerms) {
        self.keepsContext = terms.clientKeepsContext
        self.stream.initialize(to: z_stream())
        let code = inflateInit2_(
            self.stream, -Int32(terms.clientWindowBits), ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib does not start")
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Nil when the message is no DEFLATE data or larger than `limit`.
    package func inflate(_ payload: [UInt8], limit: Int) -> [UInt8]? {
        var input = payload + [0, 0, 0xFF, 0xFF]
        var output = [UInt8](repeating: 0, count: limit + 1)
        let code = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                self.stream.pointee.next_in = input.baseAddress
                self.stream.pointee.avail_in = UInt32(input.count)
                self.stream.pointee.next_out = output.baseAddress
                self.stream.pointee.avail_out = UInt32(output.count)
                return CZlib.inflate(self.stream, Z_SYNC_FLUSH)
            }
        }
        guard code == Z_OK, self.stream.pointee.avail_in == 0,
            self.stream.pointee.avail_out > 0
        else { return nil }
        output.removeLast(Int(self.stream.pointee.avail_out))
        if !self.keepsContext { inflateReset(self.stream) }
        return output
    }
}

import NIOCore

/// What a client of unary calls needs of HTTP/2 (RFC 9113): kinds of frames, codes and bounds.
enum HTTP2 {
    /// Every client begins with it (3.4).
    static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    /// Of the header of a frame.
    static let frameHeaderBytes = 9
    /// The payload of a frame that every endpoint takes; ours takes no larger one (4.2).
    static let frameBytes = 16_384
    static let largestFrameBytes = (1 << 24) - 1
    /// Of a connection and of a stream before anybody says otherwise (6.9.2).
    static let firstWindow = 65_535
    static let largestWindow = Int(Int32.max)
    static let lastStream = UInt32(Int32.max)

    /// Section 6.
    enum FrameKind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate
        case continuation
    }

    struct Flags: OptionSet {
        let rawValue: UInt8

        static let endStream = Flags(rawValue: 0x1)
        /// Of SETTINGS and PING.
        static let acknowledges = Flags(rawValue: 0x1)
        static let endHeaders = Flags(rawValue: 0x4)
        static let padded = Flags(rawValue: 0x8)
        static let priority = Flags(rawValue: 0x20)
    }

    /// Section 7.
    enum Code: UInt32 {
        case none, protocolError, internalError, flowControl, settingsTimeout, streamClosed
        case frameSize, refused, cancel, compression, connect, enhanceYourCalm, inadequateSecurity
    }

    /// Section 6.5.2.
    enum Setting: UInt16 {
        case headerTable = 1, push, streams, window, frame, headerList
    }

    /// What the peer did that ends the connection.
    struct Fault: Error {
        var code: Code
        /// Goes on from `the sidecar `.
        var sentence: String

        init(_ code: Code, _ sentence: String) {
            self.code = code
            self.sentence = sentence
        }
    }
}

extension ByteBuffer {
    mutating func writeFrameHeader(
        _ kind: HTTP2.FrameKind, _ flags: HTTP2.Flags = [], stream: UInt32, length: Int
    ) {
        let count = UInt32(truncatingIfNeeded: length) & 0xFF_FFFF
        writeMultipleIntegers(count << 8 | UInt32(kind.rawValue), flags.rawValue, stream)
    }

    mutating func writeReset(_ stream: UInt32, _ code: HTTP2.Code) {
        writeFrameHeader(.reset, stream: stream, length: 4)
        writeInteger(code.rawValue)
    }

    mutating func writeWindowUpdate(_ stream: UInt32, _ increment: Int) {
        writeFrameHeader(.windowUpdate, stream: stream, length: 4)
        writeInteger(UInt32(truncatingIfNeeded: increment))
    }

    mutating func writePing(_ data: UInt64, _ flags: HTTP2.Flags = []) {
        writeFrameHeader(.ping, flags, stream: 0, length: 8)
        writeInteger(data)
    }

    /// We take no streams of the peer, so the last one is always 0.
    mutating func writeGoAway(_ code: HTTP2.Code) {
        writeFrameHeader(.goAway, stream: 0, length: 8)
        writeMultipleIntegers(UInt32(0), code.rawValue)
    }

    mutating func writeSettings(_ settings: [(HTTP2.Setting, UInt32)]) {
        writeFrameHeader(.settings, stream: 0, length: settings.count * 6)
        for (setting, value) in settings { writeMultipleIntegers(setting.rawValue, value) }
    }
}

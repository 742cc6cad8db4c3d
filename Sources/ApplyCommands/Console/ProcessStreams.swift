private import Dispatch
private import Synchronization

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#elseif canImport(Darwin)
    private import Darwin
#endif

/// Writes to a file descriptor of the process.
final class DescriptorSink: OutputSink {
    private let descriptor: Int32
    private let fault = Mutex<Int32?>(nil)

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    var isClosed: Bool { fault.withLock { $0 != nil } }

    var failure: String? {
        fault.withLock { $0.flatMap { $0 == EPIPE ? nil : SystemCalls.text($0) } }
    }

    func write(_ bytes: [UInt8]) {
        fault.withLock { fault in
            guard fault == nil else { return }
            fault = bytes.withUnsafeBytes { writeAll($0) }
        }
    }

    /// - Returns: The error that ended it; `EPIPE` where the reader has gone.
    private func writeAll(_ bytes: UnsafeRawBufferPointer) -> Int32? {
        var offset = 0
        while offset < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            let count = Self.write(descriptor, rest)
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                _ = SystemCalls.wait(for: .writable, of: descriptor, milliseconds: -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }

    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}

/// Reads the standard input on a thread of its own, since a terminal may keep it waiting for ever.
struct StandardInput: InputSource {
    let interruption: Interruption

    func readAll(limit: Int) async throws -> [UInt8] {
        let interruption = interruption
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result { try Self.read(limit: limit, until: interruption) })
            }
        }
    }

    private static func read(limit: Int, until interruption: Interruption) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= limit {
            let ready = SystemCalls.wait(for: .readable, of: STDIN_FILENO, milliseconds: 100)
            if interruption.isTriggered { throw CancellationError() }
            guard ready else { continue }
            let count = SystemCalls.readSome(STDIN_FILENO, into: &buffer)
            if count == 0 { break }
            if count > 0 {
                bytes.append(contentsOf: buffer.prefix(count))
            } else if errno != EINTR, errno != EAGAIN {
                let reason = SystemCalls.text(errno)
                throw CommandFailure(.invalid, "cannot read the standard input: \(reason)")
            }
        }
        return bytes
    }
}

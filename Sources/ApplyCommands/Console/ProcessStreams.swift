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
    private let closed = Mutex(false)

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    var isClosed: Bool { closed.withLock { $0 } }

    func write(_ bytes: [UInt8]) {
        closed.withLock { closed in
            guard !closed else { return }
            closed = !bytes.withUnsafeBytes { writeAll($0) }
        }
    }

    /// - Returns: Whether the reader is still there.
    private func writeAll(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            let count = Self.write(descriptor, rest)
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                _ = SystemCalls.wait(for: .writable, of: descriptor, milliseconds: -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
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

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The few calls of the C library that the streams and files of a command need.
enum SystemCalls {
    enum Readiness {
        case readable, writable
    }

    /// What there is at a path, links followed.
    enum Entry: Equatable {
        case file
        /// With what tells it from every other directory.
        case directory(device: UInt64, inode: UInt64)
        /// A pipe, a device, a socket.
        case other
        /// Nothing, for this system error.
        case missing(Int32)
    }

    static func entry(at path: String) -> Entry {
        var status = stat()
        guard stat(path, &status) == 0 else { return .missing(errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR:
            return .directory(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        default: return .other
        }
    }

    /// Reads a file, stopping once more than `limit` bytes have come.
    ///
    /// - Throws: A sentence without the path.
    static func contents(of path: String, limit: Int) throws(CommandFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure(.invalid, text(errno)) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= limit {
            let count = readSome(descriptor, into: &buffer)
            if count == 0 { break }
            if count > 0 {
                bytes.append(contentsOf: buffer.prefix(count))
            } else if errno != EINTR {
                throw CommandFailure(.invalid, text(errno))
            }
        }
        return bytes
    }

    /// Writes a file that its owner alone may read, whole or not at all.
    ///
    /// - Throws: A sentence without the path.
    static func writePrivately(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
        try put(bytes, at: path, mode: 0o600)
    }

    /// Puts other content in the place of a file's, links followed: whoever reads it sees the one or
    /// the other, whole. Its mode stays.
    ///
    /// - Throws: A sentence with the path.
    static func replace(_ path: String, with bytes: [UInt8]) throws(CommandFailure) {
        do throws(CommandFailure) {
            guard let resolved = realpath(path, nil) else {
                throw CommandFailure(.invalid, text(errno))
            }
            let target = String(cString: resolved)
            free(resolved)
            var status = stat()
            guard stat(target, &status) == 0 else { throw CommandFailure(.invalid, text(errno)) }
            try put(bytes, at: target, mode: status.st_mode & 0o777)
        } catch {
            throw CommandFailure(.invalid, "\(path) cannot be written: \(error.message)")
        }
    }

    private static func put(
        _ bytes: [UInt8], at path: String, mode: mode_t
    ) throws(CommandFailure) {
        let partial = "\(path).\(getpid()).partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw CommandFailure(.invalid, text(errno)) }
        let error = writeAll(bytes, to: descriptor)
        close(descriptor)
        guard error == 0, rename(partial, path) == 0 else {
            let number = error == 0 ? errno : error
            unlink(partial)
            throw CommandFailure(.invalid, text(number))
        }
    }

    /// - Returns: 0, or the system error.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var start = 0
            while start < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
                let count = write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno != EINTR { return errno }
                start += max(0, count)
            }
            return fsync(descriptor) == 0 ? 0 : errno
        }
    }

    /// What a system error number means, in the system's words.
    static func text(_ number: Int32) -> String {
        String(cString: strerror(number))
    }

    /// Waits until a descriptor is ready.
    ///
    /// - Parameter milliseconds: At most so long; below zero is for ever.
    /// - Returns: Whether it is ready, or has ended.
    static func wait(
        for readiness: Readiness, of descriptor: Int32, milliseconds: Int32
    ) -> Bool {
        let events = readiness == .readable ? POLLIN : POLLOUT
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    /// Reads what is there, at most a buffer full.
    ///
    /// - Returns: The number of bytes, 0 at the end, below zero on an error (see `errno`).
    static func readSome(_ descriptor: Int32, into buffer: inout [UInt8]) -> Int {
        buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    }

    static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// Columns of the terminal behind a descriptor.
    static func width(_ descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Unix seconds.
    static func wallClock() -> Int64 {
        Int64(time(nil))
    }

    /// Restores what the system does on a signal: the second Ctrl-C ends the program at once.
    static func restoreDefault(of signalNumber: Int32) {
        signal(signalNumber, SIG_DFL)
    }

    static func ignore(_ signalNumber: Int32) {
        signal(signalNumber, SIG_IGN)
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A small file, read whole.
package struct FileContent: Sendable {
    /// A token file, certificate chain or key is a few kilobytes; in bytes.
    static let largest = 1 << 20

    var bytes: [UInt8]
    /// Anybody on the machine can.
    var isReadableByOthers: Bool

    /// Follows links, so that a directory whose link is swapped (as Kubernetes does) is seen whole.
    static func read(_ path: String) throws(FileProblem) -> FileContent {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileProblem(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileProblem(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileProblem(message: "it is not a regular file")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = buffer.withUnsafeMutableBytes {
                Self.readSome(descriptor, $0)
            }
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileProblem(errno)
            }
            bytes += buffer.prefix(count)
            guard bytes.count <= largest else {
                throw FileProblem(message: "it is larger than \(largest) bytes")
            }
        }
        return FileContent(
            bytes: bytes, isReadableByOthers: status.st_mode & S_IROTH != 0)
    }

    private static func readSome(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer)
        -> Int
    {
        #if canImport(Glibc)
            Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #else
            Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }
}

/// Why a file cannot be read, without its path.
package struct FileProblem: Error, Sendable, Hashable {
    var message: String

    init(message: String) {
        self.message = message
    }

    init(_ number: Int32) {
        message = String(cString: strerror(number))
    }
}

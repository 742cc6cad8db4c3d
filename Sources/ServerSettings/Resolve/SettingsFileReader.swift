import Spec

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads the file of `--config`.
package enum SettingsFileReader {
    /// Why the file cannot be read, in the words of the system.
    struct Unreadable: Error, CustomStringConvertible {
        var description: String
    }

    /// Bytes of a settings file; a person writes a few hundred.
    static let maxBytes = 1 << 20

    /// - Throws: ``Unreadable``.
    package static func bytes(of path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= maxBytes else {
                throw Unreadable(description: "it is larger than \(SizeText.format(maxBytes))")
            }
        }
    }

    private static func failure() -> Unreadable {
        Unreadable(description: String(cString: strerror(errno)))
    }
}

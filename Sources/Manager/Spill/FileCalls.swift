import ManagerCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif
// With a static standard library the compiler finds `dirent` in this module first.
#if canImport(CoreFoundation)
    import CoreFoundation
#endif

/// The calls to the system that spill files need. They block.
enum FileCalls {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// The numbers of the segments, in order.
    static func segments(in directory: String) -> [UInt64] {
        names(in: directory).compactMap { name in
            name.hasSuffix(".spill") ? UInt64(name.dropLast(".spill".count)) : nil
        }.sorted()
    }

    /// What is in a directory; nothing if there is none.
    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names
    }

    static func contents(of path: String) -> [UInt8]? {
        let file = systemOpen(path, O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes += buffer[..<count]
            } else if count == 0 || errno != EINTR {
                return bytes
            }
        }
    }

    static func open(_ path: String, _ flags: Int32) throws -> Int32 {
        let file = systemOpen(path, flags)
        guard file >= 0 else { throw failure("open", path) }
        return file
    }

    private static func systemOpen(_ path: String, _ flags: Int32) -> Int32 {
        #if canImport(Glibc)
            Glibc.open(path, flags | O_CLOEXEC, 0o600)
        #else
            Musl.open(path, flags | O_CLOEXEC, 0o600)
        #endif
    }

    /// Returns when the bytes are on the disk.
    static func writeAll(_ bytes: [UInt8], to file: Int32) throws {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                offset += count
            } else if errno != EINTR {
                throw failure("write", "a spill file")
            }
        }
        guard fdatasync(file) == 0 else { throw failure("fdatasync", "a spill file") }
    }

    /// Not synced: an older mark only repeats messages.
    static func mark(_ path: String, _ position: SpillPosition) {
        let file = systemOpen(path, O_WRONLY | O_CREAT)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = position.bytes
        _ = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
    }

    static func makeDirectory(_ path: String) throws {
        var part = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            part += "/" + name
            guard mkdir(part, 0o700) == 0 || errno == EEXIST || errno == EISDIR else {
                throw failure("mkdir", part)
            }
        }
    }

    static func sync(_ directory: String) {
        let file = systemOpen(directory, O_RDONLY | O_DIRECTORY)
        guard file >= 0 else { return }
        fsync(file)
        close(file)
    }

    static func failure(_ call: String, _ path: String) -> Failure {
        Failure(description: "\(path): \(call): \(String(cString: strerror(errno)))")
    }
}

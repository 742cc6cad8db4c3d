import Spec

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif
// With a static standard library the compiler finds `stat` in this module first.
#if canImport(CoreFoundation)
    import CoreFoundation
#endif

/// A manifest directory on the disk. Blocks: not for an event loop.
///
/// The files are those of `wsm-apply -f DIR`: `*.yaml`, `*.yml` and `*.json` at any depth, in the
/// order of their names, hidden entries left out. Links are followed, as those of a mounted
/// ConfigMap must be, but not out of the directory: a repository that others write to would
/// otherwise show, in an error's text, what only this process may read.
package struct ManifestTree: Sendable {
    static let extensions = [".yaml", ".yml", ".json"]

    let directory: String

    package init(_ directory: String) {
        self.directory = directory
    }

    /// Looks at every entry, opens none.
    package func look() -> DirectorySnapshot {
        var walk = Walk()
        guard let root = Self.realPath(directory) else {
            walk.problem("", errno)
            return walk.snapshot
        }
        walk.root = root
        walk.visit(root, "", above: [])
        walk.snapshot.files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        return walk.snapshot
    }

    package enum ReadFailure: Error, Hashable {
        /// It is not the file that was looked at any more.
        case changed
        /// The system's words.
        case unreadable(String)
    }

    /// The bytes of a file, if it is the one that was looked at before and after.
    package func contents(
        of file: DirectorySnapshot.File
    ) throws(ReadFailure) -> [UInt8] {
        // One byte more than a manifest may have, so that the compiler says that it is too large.
        let limit = ManifestLimits.maxBytes + 1
        let descriptor = open("\(directory)/\(file.path)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ENOENT ? .changed : .unreadable(String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        guard Self.stamp(descriptor) == file.stamp else { throw .changed }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(limit, Int(clamping: file.stamp.size)))
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < limit {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { break }
            if count > 0 {
                bytes.append(contentsOf: buffer.prefix(count))
            } else if errno != EINTR {
                throw .unreadable(String(cString: strerror(errno)))
            }
        }
        guard Self.stamp(descriptor) == file.stamp else { throw .changed }
        return bytes
    }

    private static func stamp(_ descriptor: Int32) -> DirectorySnapshot.Stamp? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return DirectorySnapshot.Stamp(status)
    }

    fileprivate static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

extension DirectorySnapshot.Stamp {
    fileprivate init(_ status: stat) {
        func nanoseconds(_ time: timespec) -> Int64 {
            Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        }
        self.init(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
            size: Int64(status.st_size), modified: nanoseconds(status.st_mtim),
            changed: nanoseconds(status.st_ctim))
    }
}

/// One look.
private struct Walk {
    var root = ""
    var snapshot = DirectorySnapshot()
    private var entries = 0

    mutating func problem(_ path: String, _ error: Int32) {
        snapshot.problems.append(.init(path: path, sentence: String(cString: strerror(error))))
    }

    /// - Parameters:
    ///   - path: below the root.
    ///   - above: the directories on the way here, so that a link to one of them is left alone.
    mutating func visit(_ directory: String, _ path: String, above: [Identity]) {
        var status = stat()
        guard stat(directory, &status) == 0 else { return problem(path, errno) }
        let identity = Identity(status)
        guard !above.contains(identity) else { return }
        guard above.count < ManifestDirectoryLimits.maxDepth else {
            snapshot.problems.append(
                .init(path: path, sentence: "directories are nested too deep"))
            return
        }
        guard let names = names(in: directory) else { return problem(path, errno) }
        entries += names.count
        guard entries <= ManifestDirectoryLimits.maxEntries else {
            snapshot.problems = [
                .init(
                    path: "",
                    sentence: "there are more than \(ManifestDirectoryLimits.maxEntries) entries")
            ]
            return
        }
        for name in names where !name.hasPrefix(".") {
            visitEntry(
                "\(directory)/\(name)", path.isEmpty ? name : "\(path)/\(name)",
                above: above + [identity])
        }
    }

    private mutating func visitEntry(_ entry: String, _ path: String, above: [Identity]) {
        let isManifest = ManifestTree.extensions.contains { path.hasSuffix($0) }
        var status = stat()
        guard stat(entry, &status) == 0 else {
            if isManifest { problem(path, errno) }
            return
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFDIR || kind == S_IFREG && isManifest else { return }
        guard isInside(entry) else {
            snapshot.problems.append(
                .init(path: path, sentence: "the link leads out of the directory"))
            return
        }
        if kind == S_IFDIR {
            visit(entry, path, above: above)
        } else {
            snapshot.files.append(.init(path: path, stamp: DirectorySnapshot.Stamp(status)))
        }
    }

    private func isInside(_ entry: String) -> Bool {
        var status = stat()
        guard lstat(entry, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return true }
        guard let target = ManifestTree.realPath(entry) else { return false }
        return target == root || target.hasPrefix(root == "/" ? root : root + "/")
    }

    /// - Returns: `nil` with `errno`.
    private func names(in directory: String) -> [String]? {
        guard let stream = opendir(directory) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        return errno == 0 ? names : nil
    }

    struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }
}

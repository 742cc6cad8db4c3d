import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Keeps a second process off a data directory.
///
/// The lock is the kernel's (`flock`), so it goes with the process, however it ends. The file names
/// the holder for people.
package final class DataDirectoryLock: Sendable {
    package struct Taken: Error, CustomStringConvertible {
        package var directory: String
        package var holder: String

        package var description: String {
            "the data directory \(directory) is in use by \(holder): stop that process or choose "
                + "another --data-dir"
        }
    }

    package struct Unusable: Error, CustomStringConvertible {
        package var description: String
    }

    private let descriptor: Int32

    /// Makes the directory if needed, and takes it.
    ///
    /// - Parameter isShared: others that share it as well may be there; one that wants it alone
    ///   may not.
    /// - Throws: ``Taken``, or ``Unusable`` with the system's reason.
    package init(directory: String, isShared: Bool = false) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            // Foundation's error is no sentence; the same call of the system says why.
            let isMade = mkdir(directory, 0o700) == 0
            let reason = isMade ? "\(error)" : String(cString: strerror(errno))
            throw Unusable(
                description: "the data directory \(directory) cannot be made: \(reason); "
                    + "choose another --data-dir")
        }
        let path = directory + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Unusable(
                description: "\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
            let holder = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            close(descriptor)
            throw Taken(
                directory: directory,
                holder: holder.isEmpty ? "another process" : "process \(holder)")
        }
        // One of those that share it says nothing of the others.
        ftruncate(descriptor, 0)
        guard !isShared else { return }
        let text = "\(getpid())"
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
    }

    deinit {
        close(descriptor)
    }
}

import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif
// With a static standard library the compiler finds `stat` in this module first.
#if canImport(CoreFoundation)
    import CoreFoundation
#endif

/// The part of a data directory that belongs to one instance of a cluster.
///
/// Its lock proves, with machine and boot, that the former process under the same name is gone: only
/// then may the roster slot be taken back at once.
package struct InstanceDirectory: Sendable {
    package let path: String
    package let lock: DataDirectoryLock
    /// Names machine, boot and this directory.
    package let hostID: String

    /// - Throws: ``DataDirectoryLock/Taken`` or ``DataDirectoryLock/Unusable``.
    package init(dataDirectory: String, instanceID: String) throws {
        path = dataDirectory + "/instances/" + Self.fileName(instanceID)
        lock = try DataDirectoryLock(directory: path)
        var status = stat()
        let isKnown = stat(path + "/lock", &status) == 0
        let inode = isKnown ? "\(status.st_dev):\(status.st_ino)" : path
        let machine = Self.line("/etc/machine-id") ?? Self.line("/proc/sys/kernel/hostname") ?? ""
        let boot = Self.line("/proc/sys/kernel/random/boot_id") ?? ""
        hostID = "\(machine)/\(boot)/\(inode)"
    }

    /// Anything that may stand in an instance's name, as a file's name.
    static func fileName(_ instanceID: String) -> String {
        var name = ""
        for byte in instanceID.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                name.append(Character(UnicodeScalar(byte)))
            default:
                name += "%" + String(format: "%02X", byte)
            }
        }
        return name
    }

    private static func line(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

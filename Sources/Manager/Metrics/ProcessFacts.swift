#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif
// With a static standard library the compiler finds `dirent` in this module first.
#if canImport(CoreFoundation)
    import CoreFoundation
#endif

/// What the kernel tells about this process (`proc(5)`).
struct ProcessFacts {
    var cpuSeconds = 0.0
    var residentBytes: UInt64 = 0
    var virtualBytes: UInt64 = 0
    var openFiles: UInt64 = 0
    var maxFiles: UInt64 = 0

    static func read() -> ProcessFacts {
        var facts = ProcessFacts()
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            facts.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            facts.maxFiles = UInt64(limit.rlim_cur)
        }
        let pages = text(of: "/proc/self/statm").split(separator: " ").compactMap { UInt64($0) }
        if pages.count >= 2 {
            let page = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
            facts.virtualBytes = pages[0] &* page
            facts.residentBytes = pages[1] &* page
        }
        facts.openFiles = entries(of: "/proc/self/fd")
        return facts
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    private static func text(of path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = bytes.withUnsafeMutableBytes {
            readBytes(descriptor, $0)
        }
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }

    private static func entries(of path: String) -> UInt64 {
        guard let directory = opendir(path) else { return 0 }
        defer { closedir(directory) }
        var count: UInt64 = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
        }
        // The directory itself is open while it is read.
        return count > 0 ? count - 1 : 0
    }
}

/// Outside of the type, whose `read()` would stand in front of it.
private func readBytes(_ descriptor: Int32, _ bytes: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, bytes.baseAddress, bytes.count)
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the program asks of the system it runs on.
enum ProcessLimits {
    /// A socket is a file: the limit is raised as far as the system lets us. A write to a socket
    /// that is gone is an error of that socket, not the end of the process. SIGHUP asks for files to
    /// be read again, which at the start they are anyway.
    static func raise() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    static var isRoot: Bool { geteuid() == 0 }

    static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Leaves at once.
    static func leave(_ code: Int32) -> Never {
        exit(code)
    }
}

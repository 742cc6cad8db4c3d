#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Tells the service manager how the server is, as `sd_notify(3)` describes: datagrams to the
/// socket named by `NOTIFY_SOCKET`. Without one nothing is sent.
struct ServiceManager: Sendable {
    /// How often the watchdog wants to hear of the server; `nil` without a watchdog.
    let watchdogInterval: Duration?
    private let socketPath: String?

    init(environment: [String: String]) {
        socketPath = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        // Half of the time it waits, as its manual advises.
        watchdogInterval = environment["WATCHDOG_USEC"].flatMap(Int64.init)
            .flatMap { $0 > 0 ? .microseconds($0 / 2) : nil }
    }

    /// The server answers calls.
    func ready(status: String) { send("READY=1\nSTATUS=\(Self.line(status))") }

    /// The orderly end has begun.
    func stopping() { send("STOPPING=1\nSTATUS=publishing what is buffered, closing sockets") }

    /// Files are read again; `ready` follows.
    func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
        send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
    }

    /// Sends a sign of life at every interval for as long as `isAlive` says so; returns when
    /// cancelled, or at once without a watchdog.
    func keepWatchdog(isAlive: @Sendable () -> Bool) async {
        guard let watchdogInterval, socketPath != nil else { return }
        while !Task.isCancelled {
            if isAlive() { send("WATCHDOG=1") }
            try? await Task.sleep(for: watchdogInterval)
        }
    }

    private static func line(_ text: String) -> String {
        text.replacing("\n", with: " ")
    }

    /// One datagram; that the service manager is gone is no fault of the server.
    private func send(_ message: String) {
        guard let socketPath else { return }
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(socketPath.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // A name that begins with @ is one of the abstract namespace: a zero byte in its place.
        if path.first == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = MemoryLayout<sa_family_t>.size + path.count
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                message.utf8CString.withUnsafeBytes { bytes in
                    // Without the terminating zero.
                    sendto(
                        descriptor, bytes.baseAddress, bytes.count - 1, Int32(MSG_NOSIGNAL),
                        pointer, socklen_t(length))
                }
            }
        }
    }
}

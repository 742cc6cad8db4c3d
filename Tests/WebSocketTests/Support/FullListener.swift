import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A listening socket that accepts nobody and whose queue is full: a connect to it hangs.
final class FullListener: Sendable {
    let port: Int
    private let descriptors: [Int32]

    private struct Failed: Error {}

    private init(port: Int, descriptors: [Int32]) {
        self.port = port
        self.descriptors = descriptors
    }

    static func start() throws -> FullListener {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let any = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
        let isListening = any.withSockAddr { address, size in
            bind(listener, address, socklen_t(size)) == 0 && listen(listener, 0) == 0
        }
        guard isListening else { throw Failed() }
        let port = Self.port(of: listener)
        // The queue takes one more than its length; the rest fill it for certain.
        let target = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let fillers = (0..<4).map { _ in
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            let filler = socket(AF_INET, type, 0)
            target.withSockAddr { _ = connect(filler, $0, socklen_t($1)) }
            return filler
        }
        return FullListener(port: port, descriptors: [listener] + fillers)
    }

    func stop() {
        for descriptor in self.descriptors { close(descriptor) }
    }

    /// The port is the third and fourth byte of an Internet address, most significant first.
    private static func port(of descriptor: Int32) -> Int {
        var bytes = [UInt8](repeating: 0, count: 64)
        var size = socklen_t(bytes.count)
        bytes.withUnsafeMutableBytes { bytes in
            guard let address = bytes.baseAddress else { return }
            _ = getsockname(descriptor, address.assumingMemoryBound(to: sockaddr.self), &size)
        }
        return Int(bytes[2]) << 8 | Int(bytes[3])
    }
}

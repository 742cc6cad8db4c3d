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

    static func start() async throws -> FullListener {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 0) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard isListening else { throw Failed() }
        // The queue takes one more than its length; the rest fill it for certain.
        let fillers = (0..<4).map { _ in
            let filler = socket(
                AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = connect(filler, $0, size)
                }
            }
            return filler
        }
        return FullListener(
            port: Int(UInt16(bigEndian: address.sin_port)), descriptors: [listener] + fillers)
    }

    func stop() {
        for descriptor in self.descriptors { close(descriptor) }
    }
}

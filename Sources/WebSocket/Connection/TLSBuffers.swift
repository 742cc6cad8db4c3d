@_spi(CustomByteBufferAllocator) import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The buffers of TLS lie in ``PageSlots``.
///
/// The library makes two for each connection, of 32 and of 16 KiB, and keeps them while it is open; an
/// idle one has written some hundred bytes of each. On the heap they come to lie where the handshakes
/// before were decoded, and are resident.
enum TLSBuffers {
    /// What a channel with TLS makes its buffers with.
    static let allocator = ByteBufferAllocator(
        allocate: { TLSBuffers.allocate($0) },
        reallocate: { TLSBuffers.reallocate($0, from: $1, to: $2) },
        deallocate: { if !TLSBuffers.slots.giveBack($0) { free($0) } },
        copy: { $0.copyMemory(from: $1, byteCount: $2) })

    /// Of the larger one, in bytes. The smaller takes a slot as well: what it does not write of it is
    /// not there.
    private static let slotBytes = 32 * 1024

    /// Buffers that are smaller are better off on the heap: a slot takes a page at least.
    private static let leastBytes = 16 * 1024

    /// 8 GiB of addresses, for 131,072 connections; those beyond have their buffers on the heap.
    private static let slots = PageSlots(slotBytes: TLSBuffers.slotBytes, slots: 1 << 18)

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard (TLSBuffers.leastBytes...TLSBuffers.slotBytes).contains(size) else {
            return malloc(size)
        }
        return TLSBuffers.slots.take() ?? malloc(size)
    }

    private static func reallocate(
        _ old: UnsafeMutableRawPointer?, from oldSize: Int, to size: Int
    ) -> UnsafeMutableRawPointer? {
        guard let old, TLSBuffers.slots.contains(old) else { return realloc(old, size) }
        guard size > TLSBuffers.slotBytes else { return old }
        guard let new = malloc(size) else { return nil }
        new.copyMemory(from: old, byteCount: min(oldSize, size))
        _ = TLSBuffers.slots.giveBack(old)
        return new
    }
}

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory for buffers that are large and mostly not written: each begins on a page of its own that
/// the system has not made yet, so that it takes up what was written to it and no more.
///
/// All slots are of one size and lie in one range of addresses, which is reserved with the first of
/// them; addresses cost nothing. A slot that is given back is given back to the system.
final class PageSlots: Sendable {
    private struct State {
        /// Where the range begins; `nil` until the first slot is asked for.
        var base: UInt?
        /// Slots that were given out at least once.
        var touched = 0
        var free: [UInt] = []
    }

    private let slotBytes: Int
    private let slots: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - slotBytes: Of each, in bytes: whole pages.
    ///   - slots: How many there are at most.
    init(slotBytes: Int, slots: Int) {
        self.slotBytes = slotBytes
        self.slots = slots
    }

    deinit {
        guard let base = self.state.withLock({ $0.base }) else { return }
        munmap(UnsafeMutableRawPointer(bitPattern: base), self.slotBytes * self.slots)
    }

    /// All zero, and aligned to a page.
    ///
    /// - Returns: `nil` if none is left, or the system has no addresses to give.
    func take() -> UnsafeMutableRawPointer? {
        let address: UInt? = self.state.withLock { state in
            if let slot = state.free.popLast() { return slot }
            guard state.touched < self.slots else { return nil }
            guard let base = state.base ?? self.reserve() else {
                // Asking again for each buffer would be of no use.
                state.touched = self.slots
                return nil
            }
            state.base = base
            defer { state.touched += 1 }
            return base + UInt(state.touched * self.slotBytes)
        }
        return address.flatMap(UnsafeMutableRawPointer.init(bitPattern:))
    }

    /// - Returns: false for memory that is not from here; then nothing was done.
    func giveBack(_ slot: UnsafeMutableRawPointer) -> Bool {
        guard self.contains(slot) else { return false }
        madvise(slot, self.slotBytes, MADV_DONTNEED)
        self.state.withLock { $0.free.append(UInt(bitPattern: slot)) }
        return true
    }

    func contains(_ pointer: UnsafeMutableRawPointer) -> Bool {
        guard let base = self.state.withLock({ $0.base }) else { return false }
        return UInt(bitPattern: pointer) &- base < UInt(self.slotBytes * self.slots)
    }

    private func reserve() -> UInt? {
        let bytes = self.slotBytes * self.slots
        let range = mmap(
            nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let range, range != MAP_FAILED else { return nil }
        #if os(Linux)
            // A page of 2 MiB would make the first byte of a slot cost sixty-four of them.
            madvise(range, bytes, MADV_NOHUGEPAGE)
        #endif
        return UInt(bitPattern: range)
    }
}

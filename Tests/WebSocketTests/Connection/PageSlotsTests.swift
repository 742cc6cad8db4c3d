import Glibc
import Testing

@testable import WebSocket

struct PageSlotsTests {
    private static let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    private static let pages = 8

    private func residentPages(_ slot: UnsafeMutableRawPointer) throws -> Int {
        var pages = [UInt8](repeating: 0, count: Self.pages)
        try #require(mincore(slot, Self.pages * Self.page, &pages) == 0)
        return pages.count { $0 & 1 == 1 }
    }

    @Test func aSlotTakesUpThePagesThatWereWritten() throws {
        let slots = PageSlots(slotBytes: Self.pages * Self.page, slots: 4)
        let slot = try #require(slots.take())
        #expect(try residentPages(slot) == 0)
        slot.storeBytes(of: 1, as: UInt8.self)
        #expect(try residentPages(slot) == 1)
    }

    @Test func aSlotThatWasGivenBackIsEmptyWhenItIsTakenAgain() throws {
        let slots = PageSlots(slotBytes: Self.pages * Self.page, slots: 4)
        let slot = try #require(slots.take())
        slot.initializeMemory(as: UInt8.self, repeating: 7, count: Self.pages * Self.page)
        #expect(slots.giveBack(slot))
        #expect(try residentPages(slot) == 0)
        #expect(slots.take() == slot)
        #expect(slot.load(as: UInt8.self) == 0)
    }

    @Test func slotsLieApartEachOnAPageOfItsOwn() throws {
        let slots = PageSlots(slotBytes: Self.page, slots: 3)
        let taken = try (0..<3).map { _ in try #require(slots.take()) }
        #expect(slots.take() == nil)
        let addresses = taken.map { UInt(bitPattern: $0) }.sorted()
        #expect(addresses.allSatisfy { $0 % UInt(Self.page) == 0 })
        #expect(zip(addresses, addresses.dropFirst()).allSatisfy { $1 - $0 >= UInt(Self.page) })
        #expect(slots.giveBack(taken[1]))
        #expect(slots.take() == taken[1])
    }

    @Test func whatLiesElsewhereIsLeftAlone() throws {
        let slots = PageSlots(slotBytes: Self.page, slots: 1)
        let other = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { other.deallocate() }
        #expect(!slots.giveBack(other))
        let slot = try #require(slots.take())
        #expect(!slots.giveBack(other))
        #expect(!slots.contains(slot + Self.page))
        #expect(!slots.contains(slot - 1))
    }

    @Test func addressesThatTheSystemRefusesAreSlotsThatAreNotLeft() {
        let slots = PageSlots(slotBytes: 1 << 40, slots: 1 << 20)
        #expect(slots.take() == nil)
        #expect(slots.take() == nil)
    }
}

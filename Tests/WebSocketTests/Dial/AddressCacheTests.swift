import NIOCore
import Testing

@testable import WebSocket

@Suite struct AddressCacheTests {
    private let key = AddressCache.Key(host: "feed.example", port: 443)
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func address(_ last: Int) throws -> SocketAddress {
        try SocketAddress(ipAddress: "192.0.2.\(last)", port: 443)
    }

    @Test func anAnswerIsUsedUntilItsTimeIsOver() throws {
        var cache = AddressCache(lifetime: .seconds(5), limit: 4)
        #expect(cache.addresses(of: key, now: start) == nil)
        cache.keep([try address(1), try address(2)], of: key, now: start)
        let kept = cache.addresses(of: key, now: start + .milliseconds(4_999))
        #expect(kept == [try address(1), try address(2)])
        #expect(cache.addresses(of: key, now: start + .seconds(5)) == nil)
    }

    @Test func aNewAnswerTakesThePlaceOfTheOldOne() throws {
        var cache = AddressCache(lifetime: .seconds(5), limit: 4)
        cache.keep([try address(1)], of: key, now: start)
        cache.keep([try address(2)], of: key, now: start + .seconds(6))
        #expect(cache.addresses(of: key, now: start + .seconds(7)) == [try address(2)])
    }

    @Test func theAddressesOfAPortAreItsOwn() throws {
        var cache = AddressCache(lifetime: .seconds(5), limit: 4)
        cache.keep([try address(1)], of: key, now: start)
        let other = AddressCache.Key(host: key.host, port: 80)
        #expect(cache.addresses(of: other, now: start) == nil)
    }

    @Test func itHoldsNoMoreNamesThanItsLimit() throws {
        var cache = AddressCache(lifetime: .seconds(5), limit: 2)
        let keys = (0..<3).map { AddressCache.Key(host: "h\($0)", port: 80) }
        cache.keep([try address(1)], of: keys[0], now: start)
        cache.keep([try address(2)], of: keys[1], now: start + .seconds(3))
        // The first has had its time and makes room.
        cache.keep([try address(3)], of: keys[2], now: start + .seconds(6))
        #expect(cache.addresses(of: keys[1], now: start + .seconds(6)) == [try address(2)])
        #expect(cache.addresses(of: keys[2], now: start + .seconds(6)) == [try address(3)])
        // None has had its time: it starts anew.
        cache.keep([try address(1)], of: keys[0], now: start + .seconds(6))
        #expect(cache.addresses(of: keys[1], now: start + .seconds(6)) == nil)
        #expect(cache.addresses(of: keys[0], now: start + .seconds(6)) == [try address(1)])
    }
}

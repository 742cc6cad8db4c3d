import ManagerCore
import Testing

struct IPAddressTests {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
        ("::1", "::1"), ("1::", "1::"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1"), ("::ffff:7f00:1", "::ffff:127.0.0.1"),
        ("64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe"), ("0:0:0:0:0:0:0:0", "::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("fe80::a", "fe80::a"),
    ])
    func oneAddressHasOneSpelling(_ text: String, _ expected: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == expected)
        #expect(IPAddress(address.description) == address)
    }

    @Test(arguments: [
        "", "1", "127.1", "127.0.0.1.", "127.0.0.01", "0x7f.0.0.1", "256.0.0.1", "1.2.3.4.5",
        "2130706433", "1..2.3", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::",
        "fe80::1%eth0", "[::1]", "::1::", "1::2::3", "::127.0.0.1:1", "1.2.3.4::", "g::", " ::1",
        "+1::", "1:2:3:4:5:6:7:8::", "１.1.1.1",
    ])
    func whatIsNoAddressIsRefused(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func bytesOfAPacketAreRead() {
        #expect(IPAddress(networkBytes: [127, 0, 0, 1] as [UInt8]) == .v4(0x7f00_0001))
        #expect(
            IPAddress(networkBytes: [0xfe, 0x80] + [UInt8](repeating: 0, count: 13) + [1])
                == IPAddress("fe80::1"))
        #expect(IPAddress(networkBytes: [1, 2, 3] as [UInt8]) == nil)
    }

    @Test(arguments: [
        ("64:ff9b::a9fe:a9fe", ["169.254.169.254"]),
        ("64:ff9b:1::a9fe:a9fe", ["169.254.169.254"]),
        ("64:ff9b:1:7f00:0:100::", ["127.0.0.1"]),
        ("64:ff9b:1:7f:0:1::", ["127.0.0.1"]), ("64:ff9b:1:aa:7f:0:100:0", ["127.0.0.1"]),
        ("2002:7f00:1::1", ["127.0.0.1"]),
        ("2001:0:a9fe:a9fe::80ff:fffe", ["169.254.169.254", "127.0.0.1"]),
        ("::7f00:1", ["127.0.0.1"]), ("::ffff:0:10.0.0.1", ["10.0.0.1"]),
        ("2001:db8::5efe:a00:1", ["10.0.0.1"]), ("2001:db8::200:5efe:a00:1", ["10.0.0.1"]),
    ])
    func anIPv4AddressInsideIsFound(_ text: String, _ expected: [String]) throws {
        let found = try #require(IPAddress(text)).embedded.map(\.description)
        #expect(Set(expected).isSubset(of: found), "\(found)")
    }

    @Test(arguments: ["::", "::1", "2001:db8::1", "fe80::1", "127.0.0.1", "2606:4700::1111"])
    func othersHoldNone(_ text: String) throws {
        #expect(try #require(IPAddress(text)).embedded.isEmpty)
    }
}

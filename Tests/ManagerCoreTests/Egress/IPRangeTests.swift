import ManagerCore
import Testing

struct IPRangeTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"), ("0.0.0.0/0", "255.1.2.3", "::1"),
        ("192.168.1.7", "192.168.1.7", "192.168.1.8"), ("fd00::/8", "fdff::1", "fe00::"),
        ("2001:db8::/65", "2001:db8::7fff:0:0:1", "2001:db8::8000:0:0:0"),
        ("::1/128", "::1", "::2"), ("::/0", "fe80::1", "1.2.3.4"),
        ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
        ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
    ])
    func itHoldsItsAddressesAlone(_ text: String, _ inside: String, _ outside: String) throws {
        let range = try IPRange(text)
        #expect(range.contains(try #require(IPAddress(inside))))
        #expect(!range.contains(try #require(IPAddress(outside))))
        #expect(range.contains(range.first) && range.contains(range.last))
    }

    @Test(arguments: [
        ("", "no address range"), ("10.0.0.0/", "from 0 to 32"), ("10.0.0.0/33", "from 0 to 32"),
        ("::/129", "from 0 to 128"), ("10.0.0.0/8/8", "no address range"),
        ("ten/8", "no address range"), ("10.0.0.0/-1", "from 0 to 32"),
        ("10.1.2.3/8", "write 10.0.0.0/8, or 10.1.2.3"), ("fd00::1/8", "write fd00::/8"),
        ("10/8", "no address range"), ("10.0.0.0/+8", "from 0 to 32"),
    ])
    func whatIsNoRangeIsExplained(_ text: String, _ words: String) {
        #expect {
            try IPRange(text)
        } throws: { error in
            "\(error)".contains(words)
        }
    }
}

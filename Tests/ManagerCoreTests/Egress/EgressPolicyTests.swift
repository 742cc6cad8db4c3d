import Testing

@testable import ManagerCore

struct EgressPolicyTests {
    @Test func everyRangeOfTheTableIsRead() throws {
        for row in AddressClass.table {
            for text in row.ranges {
                let range = try IPRange(text)
                #expect(AddressClass(range.first) == row.addressClass)
            }
        }
    }

    @Test(arguments: [
        ("8.8.8.8", AddressClass.public), ("2606:4700::1111", .public), ("127.9.9.9", .loopback),
        ("::1", .loopback), ("10.1.1.1", .private), ("172.31.0.1", .private),
        ("172.32.0.1", .public), ("192.168.0.1", .private), ("100.64.0.1", .private),
        ("100.128.0.1", .public), ("fd12::1", .private), ("169.254.1.1", .linkLocal),
        ("fe80::1", .linkLocal), ("169.254.169.254", .metadata), ("100.100.100.200", .metadata),
        ("168.63.129.16", .metadata), ("fd00:ec2::254", .metadata), ("0.0.0.0", .unspecified),
        ("0.1.2.3", .unspecified), ("::", .unspecified), ("224.0.0.1", .multicast),
        ("ff02::1", .multicast), ("255.255.255.255", .broadcast), ("240.0.0.1", .reserved),
        ("192.0.2.1", .reserved), ("2001:db8::1", .reserved), ("4000::1", .reserved),
        ("::ffff:10.0.0.1", .private), ("64:ff9b::1", .public), ("fec0::1", .private),
    ])
    func addressesAreClassed(_ text: String, _ expected: AddressClass) throws {
        #expect(AddressClass(try #require(IPAddress(text))) == expected)
    }

    private func isAllowed(
        _ text: String, _ origin: EgressPolicy.Origin, bound isBoundToLoopback: Bool = false,
        _ ranges: String...
    ) throws -> Bool {
        let policy = EgressPolicy(
            allowedRanges: try ranges.map { try IPRange($0) },
            isBoundToLoopback: isBoundToLoopback)
        return policy.verdict(try #require(IPAddress(text)), origin: origin) == .allowed
    }

    @Test func privateAddressesAreForManifests() throws {
        for text in ["10.0.0.1", "192.168.1.1", "fd12::1", "100.64.1.1", "192.0.2.1"] {
            #expect(try isAllowed(text, .manifest))
            #expect(try !isAllowed(text, .api))
            #expect(try !isAllowed(text, .api, bound: true))
            #expect(try isAllowed(text, .api, "\(text)"))
        }
        #expect(try isAllowed("8.8.8.8", .api))
        #expect(try isAllowed("2606:4700::1111", .api))
    }

    @Test func loopbackIsForServersThatOnlyThisHostReaches() throws {
        for text in ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"] {
            for origin in [EgressPolicy.Origin.manifest, .api] {
                #expect(try isAllowed(text, origin, bound: true))
                #expect(try !isAllowed(text, origin))
                #expect(try isAllowed(text, origin, "127.0.0.0/8", "::1"))
            }
        }
    }

    @Test(arguments: [
        "169.254.169.254", "169.254.0.1", "fe80::1", "fd00:ec2::254", "100.100.100.200",
        "168.63.129.16", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255",
        "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe", "2001:0:a9fe:a9fe::1", "2001:0:1:1::5601:5601",
        "2606:4700::5efe:a9fe:a9fe", "::ffff:0:a9fe:a9fe",
    ])
    func someAreNeverDialled(_ text: String) throws {
        for origin in [EgressPolicy.Origin.manifest, .api] {
            #expect(
                try !isAllowed(
                    text, origin, bound: true, "0.0.0.0/0", "::/0", "169.254.169.254"))
        }
    }

    @Test func anAllowedRangeMayNameTheOuterOrTheInnerAddress() throws {
        #expect(try !isAllowed("64:ff9b::10.0.0.1", .api))
        #expect(try isAllowed("64:ff9b::10.0.0.1", .api, "10.0.0.0/8"))
        #expect(try isAllowed("64:ff9b::10.0.0.1", .api, "64:ff9b::/96"))
        #expect(try isAllowed("64:ff9b::8.8.8.8", .api))
    }

    @Test func aRefusalNamesTheAddressAndTheFlag() throws {
        let policy = EgressPolicy(isBoundToLoopback: false)
        func sentence(_ text: String) throws -> String {
            guard
                case .refused(let sentence) = policy.verdict(
                    try #require(IPAddress(text)), origin: .api)
            else { return "" }
            return sentence
        }
        #expect(
            try sentence("10.0.0.1")
                == "10.0.0.1 is a private address: Connect does not dial it unless the server is "
                + "started with --allow-cidr 10.0.0.1/32 or a range around it (a manifest may "
                + "declare it)")
        #expect(try sentence("::1").contains("--allow-cidr ::1/128"))
        #expect(
            try sentence("64:ff9b::a9fe:a9fe").hasPrefix(
                "64:ff9b::a9fe:a9fe, which stands for 169.254.169.254, is a cloud metadata"))
        #expect(try sentence("169.254.169.254").contains("--allow-cidr"))
    }
}

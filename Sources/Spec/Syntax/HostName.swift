/// Hosts as a URL and `tls.serverName` may name them.
enum HostName {
    /// The host in the form that is dialled: lower case, IPv6 without its brackets.
    static func normalized(_ host: String) throws(EndpointError) -> String {
        if host.utf8.first == UInt8(ascii: "[") {
            let address = host.dropFirst().dropLast()
            guard isIPv6(address) else {
                throw EndpointError(message: "the host is no IPv6 address")
            }
            return address.lowercased()
        }
        if let problem = problem(host) { throw EndpointError(message: problem) }
        return host.lowercased()
    }

    /// Says what is wrong with a host name or IPv4 address; `nil` where it is valid.
    static func problem(_ host: String) -> String? {
        guard host.utf8.allSatisfy({ $0 < 0x80 }) else {
            return "the host has characters outside ASCII; write it in punycode (xn--…)"
        }
        guard host.utf8.count <= 253 else { return "the host has at most 253 characters" }
        return host.withBytes { problem($0[...]) }
    }

    private static func problem(_ host: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
        var rest = host
        var isNumber = false
        repeat {
            let label = rest.prefix { $0 != UInt8(ascii: ".") }
            if let problem = labelProblem(label) { return problem }
            isNumber = label.allSatisfy(isDigit)
            rest = rest[label.endIndex...].dropFirst()
            // A name may end with a dot.
        } while !rest.isEmpty
        if isNumber, !isIPv4(host) {
            return "the host is neither a name nor an IPv4 address"
        }
        return nil
    }

    static func isAddress(_ host: String) -> Bool {
        isIPv4(host.utf8) || isIPv6(host[...])
    }

    private static func labelProblem(
        _ label: Slice<UnsafeBufferPointer<UInt8>>
    ) -> String? {
        guard !label.isEmpty else { return "the host has an empty part between dots" }
        guard label.count <= 63 else { return "a part of the host has at most 63 characters" }
        let isValid = label.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isValid, label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-") else {
            return "the host is a name of letters, digits, \"-\" and \".\", or an address"
        }
        return nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func isIPv4(_ text: some Collection<UInt8>) -> Bool {
        var rest = text[...]
        for place in 1...4 {
            let part = rest.prefix { $0 != UInt8(ascii: ".") }
            guard isOctet(part) else { return false }
            if part.endIndex == rest.endIndex { return place == 4 }
            rest = rest[part.endIndex...].dropFirst()
        }
        return false
    }

    private static func isOctet(_ part: some Collection<UInt8>) -> Bool {
        (1...3).contains(part.count) && part.allSatisfy(isDigit)
            && (part.count == 1 || part.first != 0x30)
            && part.reduce(0) { $0 * 10 + Int($1 - 0x30) } < 256
    }

    /// RFC 4291, section 2.2: eight groups, one run of zeros as `::`, an IPv4 tail.
    private static func isIPv6(_ text: Substring) -> Bool {
        guard text.utf8.count <= 45, text.utf8.contains(0x3A) else { return false }
        let halves = split(text)
        guard let left = groups(halves.head, isLast: halves.tail == nil) else { return false }
        guard let tail = halves.tail else { return left == 8 }
        guard let right = groups(tail, isLast: true) else { return false }
        return left + right <= 7
    }

    private static func split(_ text: Substring) -> (head: Substring, tail: Substring?) {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index...].hasPrefix("::") {
                return (text[..<index], text[text.index(index, offsetBy: 2)...])
            }
            index = text.index(after: index)
        }
        return (text, nil)
    }

    /// The number of 16-bit groups, or `nil` where there is something else.
    private static func groups(_ text: Substring, isLast: Bool) -> Int? {
        guard !text.isEmpty else { return 0 }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var count = 0
        for (index, part) in parts.enumerated() {
            if isLast, index == parts.count - 1, isIPv4(part.utf8) {
                count += 2
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit) else {
                    return nil
                }
                count += 1
            }
        }
        return count
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

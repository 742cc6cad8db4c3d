/// Where a missing member can be added to a JSON text.
package struct JSONInsertion: Sendable, Hashable {
    /// The index after the opening brace of the deepest object on the path.
    package var at: Int
    /// That object has no member yet.
    package var isOnlyMember: Bool
    /// How many parts of the path are there already; the others are to be made.
    package var existingParts: Int
}

extension JSONText {
    /// The text with one value replaced; every other byte stays as it is.
    package static func replacing(
        _ location: JSONValueLocation, in bytes: [UInt8], with value: [UInt8]
    ) -> [UInt8] {
        splicing(bytes, location.range, value)
    }

    /// The text with the value at `path` added; every other byte stays as it is.
    ///
    /// - Parameters:
    ///   - insertion: Of a ``locate(_:in:)`` of the same path in the same bytes.
    package static func inserting(
        _ value: [UInt8], at path: JSONRoute, _ insertion: JSONInsertion, in bytes: [UInt8]
    ) -> [UInt8] {
        let missing = path.parts[insertion.existingParts...]
        var member: [UInt8] = []
        for (depth, part) in missing.enumerated() {
            if depth > 0 { member.append(UInt8(ascii: "{")) }
            JSONBytes.appendString(utf8: part.key, to: &member)
            member.append(UInt8(ascii: ":"))
        }
        member.append(contentsOf: value)
        member.append(contentsOf: missing.dropFirst().map { _ in UInt8(ascii: "}") })
        if !insertion.isOnlyMember { member.append(UInt8(ascii: ",")) }
        return splicing(bytes, insertion.at..<insertion.at, member)
    }

    /// The text without the member at `location`, and without the comma that parted it from the
    /// next or else the previous member. An element of an array is not taken out: bytes unchanged.
    package static func removing(_ location: JSONValueLocation, from bytes: [UInt8]) -> [UInt8] {
        guard var start = location.memberStart else { return bytes }
        var end = location.range.upperBound
        let next = skippingWhitespace(bytes, from: end, by: 1)
        if bytes[next] == UInt8(ascii: ",") {
            end = next + 1
        } else {
            let previous = skippingWhitespace(bytes, from: start - 1, by: -1)
            if bytes[previous] == UInt8(ascii: ",") { start = previous }
        }
        return splicing(bytes, start..<end, [])
    }

    /// The text without the value at `path`, and without those of its parents from part
    /// `existingParts` on that are left empty: undoes ``inserting(_:at:_:in:)``.
    package static func removing(
        _ path: JSONRoute, keepingParts existingParts: Int, from bytes: [UInt8]
    ) -> [UInt8] {
        var text = bytes
        for count in stride(from: path.parts.count, to: existingParts, by: -1) {
            guard case .found(let location) = locate(path.prefix(count), in: text) else { break }
            let isLeaf = count == path.parts.count
            guard isLeaf || isEmptyObject(text, location) else { break }
            text = removing(location, from: text)
        }
        return text
    }

    private static func isEmptyObject(_ bytes: [UInt8], _ location: JSONValueLocation) -> Bool {
        guard location.type == .object else { return false }
        let inside = skippingWhitespace(bytes, from: location.range.lowerBound + 1, by: 1)
        return inside == location.range.upperBound - 1
    }

    /// The nearest index in one direction whose byte is not white space. Inside a checked JSON
    /// object there always is one: its braces.
    private static func skippingWhitespace(_ bytes: [UInt8], from start: Int, by step: Int) -> Int {
        var index = start
        while [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += step }
        return index
    }

    private static func splicing(
        _ bytes: [UInt8], _ range: Range<Int>, _ replacement: [UInt8]
    ) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count - range.count + replacement.count)
        text.append(contentsOf: bytes[..<range.lowerBound])
        text.append(contentsOf: replacement)
        text.append(contentsOf: bytes[range.upperBound...])
        return text
    }
}

import Testing

@testable import Manager

struct StampedValueTests {
    private let stamp = Stamp(digits: Array("00000000000000a1".utf8))
    private let other = Stamp(digits: Array("ffffffffffffffff".utf8))

    @Test(arguments: [[], [0], Array(0...255), [UInt8]("wsm1 \n".utf8)] as [[UInt8]])
    func everyValueComesBack(value: [UInt8]) throws {
        for previous in [nil, other] {
            let stamped = StampedValue(
                stamp: try #require(stamp), previous: previous, value: value)
            #expect(stamped.bytes.count == StampedValue.stampBytes + value.count)
            #expect(StampedValue(stamped.bytes) == stamped)
        }
    }

    @Test func aRecordCanBeReadByEye() throws {
        let stamped = StampedValue(
            stamp: try #require(stamp), previous: nil, value: Array(#"{"v":1}"#.utf8))
        #expect(
            String(decoding: stamped.bytes, as: UTF8.self)
                == "wsm1 00000000000000a1 0000000000000000\n" + #"{"v":1}"#)
    }

    @Test func whatSomebodyElseWroteIsNotTaken() throws {
        let good = StampedValue(stamp: try #require(stamp), previous: other, value: []).bytes
        #expect(StampedValue([]) == nil)
        #expect(StampedValue(Array(#"{"v":1}"#.utf8)) == nil)
        for index in good.indices {
            var broken = good
            broken[index] ^= 0x80
            #expect(StampedValue(broken) == nil, "byte \(index)")
            #expect(StampedValue(Array(good[..<index])) == nil, "\(index) bytes")
        }
        #expect(StampedValue(Array("wsm1 0000000000000000 0000000000000000\n".utf8)) == nil)
    }

    @Test func drawnStampsAreReadBack() {
        var generator = SystemRandomNumberGenerator()
        let drawn = Stamp.random(using: &generator)
        #expect(Stamp(digits: Array(drawn.description.utf8)) == drawn)
    }

    @Test func aTagIsOfOneKeyOnly() throws {
        let stamp = try #require(stamp)
        let tag = BoundTag("3", stamp: stamp, of: "a")
        let read = try #require(BoundTag(tag.text, of: "a"))
        #expect(read == tag)
        #expect(BoundTag(tag.text, of: "b") == nil)
        for text in ["", "3", "@", "no tag", "3@@", "3@x@y", BoundTag.ofReplaced] {
            #expect(BoundTag(text, of: "a") == nil)
        }
    }
}

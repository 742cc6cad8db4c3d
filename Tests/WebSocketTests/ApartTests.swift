import Testing

@testable import WebSocket

@Suite struct ApartTests {
    private struct Owner {
        @Apart var words: [String]? = nil
    }

    @Test func anOwnerPaysForAPointer() {
        #expect(MemoryLayout<Owner>.size == MemoryLayout<Int>.size)
    }

    @Test func aCopyThatIsChangedLeavesTheOtherAsItWas() {
        var one = Owner()
        one.words = ["a"]
        var other = one
        other.words?.append("b")
        #expect(one.words == ["a"])
        #expect(other.words == ["a", "b"])
        other.words = nil
        #expect(one.words == ["a"])
        #expect(other.words == nil)
    }

    @Test func changesToNothingMakeNothing() {
        var owner = Owner()
        owner.words?.append("a")
        #expect(owner.words == nil)
        #expect(owner.words.take() == nil)
        owner.words = ["a"]
        #expect(owner.words.take() == ["a"])
        #expect(owner.words == nil)
    }
}

import Testing

@testable import Spec

struct SharedTests {
    private struct Owner: Hashable {
        @Seldom var text: String? = nil
    }

    // MARK: Values in one place

    @Test func equalValuesAreEqualWhereverTheyAre() {
        let one = Shared("a")
        #expect(one == Shared("a"))
        #expect(one != Shared("b"))
        #expect(Set([one, Shared("a"), Shared("b")]).count == 2)
    }

    @Test func aSeldomValueIsOfItsOwnerAlone() {
        var one = Owner()
        #expect(one.text == nil)
        one.text = "a"
        var other = one
        other.text = "b"
        #expect(one.text == "a")
        #expect(other.text == "b")
        other.text = "a"
        #expect(one == other)
        other.text = nil
        #expect(other == Owner())
        #expect(MemoryLayout<Owner>.size == MemoryLayout<Int>.size)
    }

    // MARK: Equal values kept once

    @Test func theFirstOfEqualValuesIsTheOneThatIsKept() {
        var pool = SharedValues<String>()
        let first = pool.first(Shared("a"))
        #expect(pool.first(Shared("a")) === first)
        #expect(pool.first(Shared("b")) !== first)
        #expect(pool.count == 2)
    }

    @Test func whatNobodyHoldsIsLetGo() {
        var pool = SharedValues<Int>()
        let held = pool.first(Shared(-1))
        for value in 0..<10_000 { _ = pool.first(Shared(value)) }
        #expect(pool.count < 200)
        #expect(pool.first(Shared(-1)) === held)
    }

    @Test func whatIsHeldStaysHoweverMuchItIs() {
        var pool = SharedValues<Int>()
        let held = (0..<1_000).map { pool.first(Shared($0)) }
        #expect(pool.count == 1_000)
        for (value, shared) in held.enumerated() { #expect(pool.first(Shared(value)) === shared) }
    }

    // MARK: Specs

    @Test func specsOfOneFleetShareTheirSettings() {
        var pool = SharedValues<ConnectionSpec.Settings>()
        var specs = ["a", "b"].map { host in
            var spec = ConnectionSpec(url: "ws://\(host)/")
            spec.keepalive.pingInterval = .seconds(5)
            return spec
        }
        for index in specs.indices { specs[index].share(in: &pool) }
        #expect(specs[0].settings === specs[1].settings)
        #expect(pool.count == 1)
        #expect(specs[0] != specs[1])
    }

    @Test func anEditOfOneSpecChangesNoOther() {
        var pool = SharedValues<ConnectionSpec.Settings>()
        var one = ConnectionSpec(url: "ws://a/")
        one.share(in: &pool)
        var other = one
        other.tls.insecureSkipVerify = true
        other.publish.batchMessages = 7
        #expect(!one.tls.insecureSkipVerify)
        #expect(one == ConnectionSpec(url: "ws://a/"))
        #expect(other.publish.batchMessages == 7)
        #expect(other != one)
        other.publish.batchMessages = one.publish.batchMessages
        other.tls = one.tls
        #expect(other == one)
    }
}

import Manager
import ManagerCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct ChangeFeedTests {
    @Test func aListenerHearsOfItsNameOnly() async {
        let feed = ChangeFeed()
        let mine = feed.subscribe(to: "a")
        let all = feed.subscribe()
        feed.tell([.connection("b"), .connection("a"), .connectionSet("a")])
        #expect(mine.take() == [.connection("a"), .connectionSet("a")])
        #expect(all.take() == [.connection("a"), .connection("b"), .connectionSet("a")])
        #expect(mine.take().isEmpty, "taken is taken")
        var signals = mine.signals.makeAsyncIterator()
        #expect(await signals.next() != nil)
    }

    @Test func manyChangesAreOneSignalAndNoneIsLost() async {
        let feed = ChangeFeed()
        let all = feed.subscribe()
        for number in 0..<1_000 { feed.tell([.connection("c\(number % 10)")]) }
        var signals = all.signals.makeAsyncIterator()
        _ = await signals.next()
        #expect(all.take().count == 10)
        feed.tell([.connection("later")])
        _ = await signals.next()
        #expect(all.take() == [.connection("later")])
    }

    @Test func closeEndsEverySubscription() async {
        let feed = ChangeFeed()
        let first = feed.subscribe(to: "a")
        let second = feed.subscribe()
        feed.close()
        for await _ in first.signals { Issue.record("nothing was told") }
        for await _ in second.signals { Issue.record("nothing was told") }
    }

    @Test func aSubscriptionLetGoEndsItsSignals() async {
        let feed = ChangeFeed()
        var subscription: ChangeFeed.Subscription? = feed.subscribe(to: "a")
        let signals = subscription?.signals
        #expect(subscription != nil)
        subscription = nil
        feed.tell([.connection("a")])
        if let signals {
            for await _ in signals { Issue.record("it was let go before") }
        }
    }
}

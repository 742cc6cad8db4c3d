import ManagerCore
import Synchronization
import TestKit
import Testing

@testable import Manager

@Suite(.timeLimit(.minutes(1))) struct KeyLocksTests {
    private func keys(_ names: String...) -> Set<ObjectKey> {
        Set(names.map { .connection($0) })
    }

    @Test func whoWaitsIsNotOvertaken() async {
        let locks = KeyLocks()
        let order = Mutex<[String]>([])
        #expect(locks.takeNow(keys("a")))
        #expect(locks.takeNow(keys("c")))
        let both = Task { [keys = keys("a", "b")] in
            await locks.take(keys)
            order.withLock { $0.append("both") }
        }
        // It has queued as soon as its other key is not to be had.
        #expect(
            await eventually {
                guard locks.takeNow(keys("b")) else { return true }
                locks.release(keys("b"))
                return false
            })
        #expect(!locks.takeNow(keys("b")), "it is somebody's turn before")
        #expect(locks.takeNow(keys("d")), "what nobody waits for is free")
        locks.release(keys("a"))
        await both.value
        #expect(!locks.takeNow(keys("a")) && !locks.takeNow(keys("b")))
        locks.release(keys("a", "b"))
        #expect(locks.takeNow(keys("a", "b")))
        #expect(order.withLock { $0 } == ["both"])
    }

    @Test func aReleaseServesAllWhoFit() async {
        let locks = KeyLocks()
        #expect(locks.takeNow(keys("a", "b")))
        await withTaskGroup { group in
            for name in ["a", "b", "a", "b"] {
                group.addTask { [wanted = keys(name)] in
                    await locks.take(wanted)
                    locks.release(wanted)
                }
            }
            locks.release(keys("a", "b"))
        }
        #expect(locks.takeNow(keys("a", "b")))
    }
}

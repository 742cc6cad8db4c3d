import Manager
import ManagerCore
import NIOPosix
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct EventLoopTimerTests {
    @Test func theEarlierOfTwoSettingsWinsAndRingsOnce() async {
        let timer = EventLoopTimer(eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        let rung = Mutex<[String]>([])
        let now = Moment.now
        timer.wake(at: now.advanced(by: .seconds(600))) { rung.withLock { $0.append("late") } }
        timer.wake(at: now.advanced(by: .milliseconds(20))) {
            rung.withLock { $0.append("early") }
        }
        timer.wake(at: now.advanced(by: .seconds(300))) { rung.withLock { $0.append("middle") } }
        #expect(await eventually { !rung.withLock { $0.isEmpty } })
        #expect(await always(for: .milliseconds(50)) { rung.withLock { $0 } == ["early"] })
        #expect(Moment.now >= now.advanced(by: .milliseconds(20)))
    }

    @Test func aTimeThatHasPassedRingsAtOnceAndItCanBeSetAgain() async {
        let timer = EventLoopTimer(eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        let rung = Mutex(0)
        for count in 1...5 {
            timer.wake(at: .now.advanced(by: .seconds(-5))) { rung.withLock { $0 += 1 } }
            #expect(await eventually { rung.withLock { $0 } == count })
        }
    }
}

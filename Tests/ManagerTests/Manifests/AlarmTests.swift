import TestKit
import Testing

@testable import Manager

@Suite(.timeLimit(.minutes(1))) struct AlarmTests {
    private let alarm = Alarm()

    @Test func aPauseEndsByItself() async {
        await alarm.wait(.milliseconds(1))
    }

    @Test func aRingEndsThePauseThatIsOrTheNextOne() async {
        let waiting = Task { await alarm.wait(.seconds(3600)) }
        alarm.ring()
        await waiting.value
        alarm.ring()
        alarm.ring()
        await alarm.wait(.seconds(3600))
    }

    @Test func aCancelledTaskDoesNotWait() async {
        let waiting = Task { await alarm.wait(.seconds(3600)) }
        waiting.cancel()
        await waiting.value
    }
}

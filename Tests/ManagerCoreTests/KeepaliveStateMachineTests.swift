import ManagerCore
import TestKit
import Testing

@Suite struct KeepaliveStateMachineTests {
    private typealias Action = KeepaliveStateMachine.Action
    private let start = Moment(.zero)

    private func at(_ seconds: Double) -> Moment {
        start.advanced(by: .seconds(seconds))
    }

    private func machine(interval: Double = 20, timeout: Double = 10) -> KeepaliveStateMachine {
        KeepaliveStateMachine(
            pingInterval: .seconds(interval), pongTimeout: .seconds(timeout), now: start)
    }

    private func ping(_ number: Int) -> Action { .sendPing(payload: Array("\(number)".utf8)) }

    @Test func pingsGoOutAtTheIntervalAndAPongEndsTheWait() {
        var machine = machine()
        #expect(machine.nextDeadline == at(20))
        #expect(machine.fire(at(19)) == .none)
        #expect(machine.fire(at(20)) == ping(1))
        #expect(machine.nextDeadline == at(30))
        #expect(machine.pongReceived(payload: Array("1".utf8), now: at(21)) == .seconds(1))
        #expect(machine.nextDeadline == at(40))
        #expect(machine.fire(at(30)) == .none)
        #expect(machine.fire(at(40)) == ping(2))
    }

    @Test func withoutAPongThePeerIsDeadAfterTheTimeout() {
        var machine = machine()
        _ = machine.fire(at(20))
        machine.bytesReceived(now: at(25), isMidFrame: false)
        #expect(machine.fire(at(30)) == .closeDead(after: .seconds(10)))
        #expect(machine.nextDeadline == nil)
        #expect(machine.fire(at(60)) == .none)
    }

    @Test func noIntervalMeansNoPings() {
        var machine = machine(interval: 0)
        #expect(machine.nextDeadline == nil)
        #expect(machine.fire(at(1000)) == .none)
    }

    @Test func severalPingsMayBeUnderWayAndAPongAnswersAllBefore() {
        var machine = machine(interval: 1, timeout: 10)
        for number in 1...5 { #expect(machine.fire(at(Double(number))) == ping(number)) }
        #expect(machine.nextDeadline == at(6))
        machine.pongReceived(payload: Array("3".utf8), now: at(5.5))
        for number in 6...13 { #expect(machine.fire(at(Double(number))) == ping(number)) }
        // The oldest unanswered ping is the fourth, sent at 4.
        #expect(machine.fire(at(14)) == .closeDead(after: .seconds(10)))
    }

    @Test(arguments: ["", "0", "2", "01", "+1", "1 ", "x", "99999999999999999999999", "1\u{0}"])
    func anUnsolicitedPongMeansNothing(payload: String) {
        var machine = machine()
        _ = machine.fire(at(20))
        #expect(machine.pongReceived(payload: Array(payload.utf8), now: at(21)) == nil)
        #expect(machine.fire(at(30)) == .closeDead(after: .seconds(10)))
    }

    @Test func aPongOfTheSocketBeforeDoesNotCount() {
        var old = machine(interval: 1, timeout: 60)
        for second in 1...5 { _ = old.fire(at(Double(second))) }
        var fresh = machine()
        _ = fresh.fire(at(20))
        #expect(fresh.pongReceived(payload: Array("5".utf8), now: at(21)) == nil)
        #expect(fresh.nextDeadline == at(30))
    }

    @Test func laterBytesWhileAFrameIsHalfReceivedEndTheWait() {
        var machine = machine()
        _ = machine.fire(at(20))
        machine.bytesReceived(now: at(28), isMidFrame: true)
        #expect(machine.fire(at(30), isMidFrame: true) == .none)
        #expect(machine.fire(at(40), isMidFrame: true) == ping(2))
        // The frame stands still: bytes from before the ping do not count.
        #expect(machine.fire(at(50), isMidFrame: true) == .closeDead(after: .seconds(10)))
    }

    @Test func aFrameThatWasCompletedJustBeforeTheDeadlineEndsTheWaitToo() {
        var machine = machine()
        _ = machine.fire(at(20))
        machine.bytesReceived(now: at(28), isMidFrame: true)
        machine.bytesReceived(now: at(29.9), isMidFrame: true)
        #expect(machine.fire(at(30), isMidFrame: false) == .none)
    }

    @Test func whileWeDoNotReadTheWaitIsSuspendedAndThenBeginsAnew() {
        var machine = machine()
        _ = machine.fire(at(20))
        machine.readingPaused(now: at(22))
        #expect(machine.nextDeadline == at(40))
        #expect(machine.fire(at(30), isReadingPaused: true) == .none)
        #expect(machine.fire(at(40), isReadingPaused: true) == ping(2))
        #expect(machine.fire(at(60), isReadingPaused: true) == ping(3))
        machine.readingResumed(now: at(65))
        #expect(machine.nextDeadline == at(75))
        #expect(machine.fire(at(74)) == .none)
        #expect(machine.fire(at(75)) == .closeDead(after: .seconds(10)))
    }

    @Test func thePongOfASuspendedWaitIsTaken() {
        var machine = machine()
        _ = machine.fire(at(20))
        machine.readingPaused(now: at(22))
        machine.readingResumed(now: at(35))
        machine.pongReceived(payload: Array("1".utf8), now: at(36))
        #expect(machine.nextDeadline == at(40))
    }

    @Test func theTimerTellsOfAPauseAsWell() {
        var machine = machine()
        _ = machine.fire(at(20))
        #expect(machine.fire(at(30), isReadingPaused: true) == .none)
        #expect(machine.fire(at(31), isReadingPaused: false) == .none)
        #expect(machine.nextDeadline == at(40))
    }

    @Test func anEditHoldsAtOnce() {
        var machine = machine()
        machine.configurationChanged(
            pingInterval: .seconds(5), pongTimeout: .seconds(10), now: at(8))
        #expect(machine.nextDeadline == at(5))
        #expect(machine.fire(at(8)) == ping(1))
        machine.configurationChanged(
            pingInterval: .seconds(60), pongTimeout: .seconds(2), now: at(17))
        // The wait begins anew: nobody is condemned in hindsight.
        #expect(machine.nextDeadline == at(19))
        machine.configurationChanged(pingInterval: .zero, pongTimeout: .seconds(2), now: at(18))
        #expect(machine.nextDeadline == nil)
        machine.configurationChanged(
            pingInterval: .seconds(3), pongTimeout: .seconds(2), now: at(100))
        #expect(machine.nextDeadline == at(103))
    }

    @Test func theSameConfigurationAgainChangesNothing() {
        var machine = machine()
        _ = machine.fire(at(20))
        machine.configurationChanged(
            pingInterval: .seconds(20), pongTimeout: .seconds(10), now: at(29))
        #expect(machine.fire(at(30)) == .closeDead(after: .seconds(10)))
    }

    /// A peer that answers each ping within the timeout lives for ever; one that falls silent is
    /// found out within an interval and a timeout.
    @Test(arguments: UInt64(1)...60) func onlyASilentPeerIsFoundDead(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let interval = Int.random(in: 1...20, using: &generator)
        let timeout = Int.random(in: 2...60, using: &generator)
        let silentFrom = 2000
        var machine = KeepaliveStateMachine(
            pingInterval: .seconds(interval), pongTimeout: .seconds(timeout), now: start)
        var pongs: [(at: Int, payload: [UInt8])] = []
        var isPaused = false
        var deadAt: Int?
        for second in 1...5000 where deadAt == nil {
            let now = at(Double(second))
            if !isPaused {
                for pong in pongs where pong.at <= second {
                    machine.pongReceived(payload: pong.payload, now: now)
                }
                pongs.removeAll { $0.at <= second }
            }
            if second < silentFrom, Int.random(in: 0..<50, using: &generator) == 0 {
                isPaused.toggle()
                if isPaused { machine.readingPaused(now: now) }
                if !isPaused { machine.readingResumed(now: now) }
            } else if second == silentFrom {
                isPaused = false
                machine.readingResumed(now: now)
            }
            guard let deadline = machine.nextDeadline, deadline <= now else { continue }
            switch machine.timerFired(now: now, isMidFrame: false, isReadingPaused: isPaused) {
            case .sendPing(let payload):
                let delay = Int.random(in: 1..<timeout, using: &generator)
                if second < silentFrom { pongs.append((second + delay, payload)) }
            case .closeDead: deadAt = second
            case .none: break
            }
        }
        #expect(deadAt ?? 0 >= silentFrom, "seed \(seed)")
        #expect(deadAt ?? .max <= silentFrom + interval + 2 * timeout, "seed \(seed)")
    }
}

extension KeepaliveStateMachine {
    fileprivate mutating func fire(
        _ now: Moment, isMidFrame: Bool = false, isReadingPaused: Bool = false
    ) -> Action {
        timerFired(now: now, isMidFrame: isMidFrame, isReadingPaused: isReadingPaused)
    }
}

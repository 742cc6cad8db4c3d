import Spec
import TestKit
import Testing

@testable import ManagerCore

@Suite struct ConnectionStateMachineTests {
    private typealias Machine = ConnectionStateMachine

    private let start = Moment(.zero)
    private var generator = SplitMix64(seed: 1)

    private func after(_ seconds: Double) -> Moment {
        start.advanced(by: .seconds(seconds))
    }

    private func policy(
        base: Duration = .seconds(1), cap: Duration = .seconds(30),
        stableAfter: Duration = .seconds(30), maxAttempts: Int = 0
    ) -> ConnectionSpec.Reconnect {
        var policy = ConnectionSpec.Reconnect()
        policy.base = base
        policy.cap = cap
        policy.stableAfter = stableAfter
        policy.maxAttempts = maxAttempts
        return policy
    }

    private func machine(_ policy: ConnectionSpec.Reconnect? = nil) -> Machine {
        Machine(policy: policy ?? self.policy())
    }

    private func failure(
        _ failureClass: FailureClass = .transient, retryAfter: Duration? = nil
    ) -> LinkFailure {
        LinkFailure(
            failureClass: failureClass, code: "test", message: "a test's failure",
            at: WallTime(nanosecondsSinceEpoch: 1), retryAfter: retryAfter)
    }

    private func close(_ code: UInt16 = 1006) -> LinkClose {
        LinkClose(
            code: code, reason: "", by: .remote, at: WallTime(nanosecondsSinceEpoch: 2))
    }

    private func down(_ machine: Machine) throws -> Machine.Down {
        guard case .down(let down) = machine.state else {
            throw Expected(what: "down", state: machine.state)
        }
        return down
    }

    private struct Expected: Error {
        var what: String
        var state: Machine.State
    }

    // MARK: Order of states

    @Test func aLifeGoesFromIdleOverDialingToOpenAndDown() throws {
        var generator = generator
        var machine = machine()
        #expect(machine.state == .idle)
        #expect(!machine.hasSocket)
        #expect(machine.dialStarted(dialRevision: 3) == true)
        #expect(machine.state == .dialing(.init(dialRevision: 3)))
        #expect(machine.hasSocket)
        #expect(!machine.hasBeenOpen)
        #expect(machine.opened(now: start) == true)
        #expect(
            machine.state
                == .open(.init(dialRevision: 3, since: start, isSubscribed: false)))
        #expect(machine.hasBeenOpen)
        machine.subscribed()
        #expect(
            machine.state == .open(.init(dialRevision: 3, since: start, isSubscribed: true)))
        machine.closed(close(), failure: failure(), now: after(1), using: &generator)
        #expect(!machine.hasSocket)
        #expect(try down(machine).dialRevision == 3)
        #expect(try !down(machine).isReopening)
        #expect(machine.dialStarted(dialRevision: 4) == true)
        #expect(machine.dials == 2)
    }

    @Test func aSecondDialIsRefusedWhileASocketExists() {
        var machine = machine()
        #expect(machine.dialStarted(dialRevision: 1) == true)
        #expect(machine.dialStarted(dialRevision: 2) == false)
        #expect(machine.state == .dialing(.init(dialRevision: 1)))
        #expect(machine.opened(now: start) == true)
        #expect(machine.dialStarted(dialRevision: 2) == false)
        #expect(machine.closeStarted(.removed) == true)
        #expect(machine.dialStarted(dialRevision: 2) == false)
        #expect(machine.dials == 1)
    }

    @Test func anUpgradeThatNobodyWaitsForIsRefused() {
        var machine = machine()
        #expect(machine.opened(now: start) == false)
        #expect(machine.state == .idle)
        #expect(machine.dialStarted(dialRevision: 1) == true)
        #expect(machine.closeStarted(.removed) == true)
        #expect(machine.opened(now: start) == false, "the socket must go: a close was asked for")
        #expect(!machine.hasBeenOpen)
    }

    @Test func closingWithoutASocketIsRefused() throws {
        var generator = generator
        var machine = machine()
        #expect(machine.closeStarted(.removed) == false)
        #expect(machine.state == .idle)
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.dialFailed(failure(), now: start, using: &generator)
        #expect(machine.closeStarted(.shutdown) == false)
        _ = try down(machine)
    }

    @Test func aLateSubscribedIsIgnored() {
        var machine = machine()
        machine.subscribed()
        #expect(machine.state == .idle)
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.subscribed()
        #expect(machine.state == .dialing(.init(dialRevision: 1)))
    }

    @Test func closingDuringADialEndsWithoutASocketAndOutsideTheBackoff() throws {
        var generator = generator
        var machine = machine()
        #expect(machine.dialStarted(dialRevision: 1) == true)
        #expect(machine.closeStarted(.reopen(["url"])) == true)
        guard case .closing(let closing) = machine.state else {
            Issue.record("not closing: \(machine.state)")
            return
        }
        #expect(closing.openSince == nil)
        #expect(closing.cause == .reopen(["url"]))
        machine.dialFailed(failure(), now: after(2), using: &generator)
        let down = try down(machine)
        #expect(down.isReopening)
        #expect(down.nextAttemptAt == after(2))
        #expect(machine.attempt == 0)
        #expect(machine.lastFailure == nil, "a dial that we called off is no failure")
    }

    @Test func aRemovalOutranksAReopenAndNothingOutranksARemoval() {
        var machine = machine()
        var generator = generator
        opened(&machine, start)
        #expect(machine.closeStarted(.reopen(["url"])) == true)
        #expect(machine.closeStarted(.removed) == true)
        #expect(machine.closeStarted(.reopen(["headers"])) == true)
        guard case .closing(let closing) = machine.state else {
            Issue.record("not closing: \(machine.state)")
            return
        }
        #expect(closing.cause == .removed)
        machine.closed(close(1000), failure: nil, now: after(1), using: &generator)
        #expect(machine.lastClose?.code == 1000)
    }

    private func opened(_ machine: inout Machine, _ time: Moment) {
        #expect(machine.dialStarted(dialRevision: 1) == true)
        #expect(machine.opened(now: time) == true)
    }

    // MARK: Back-off

    @Test func failuresWaitBetweenBaseAndCapAndCount() throws {
        var generator = generator
        var machine = machine()
        var waits: [Duration] = []
        for attempt in 1...40 {
            #expect(machine.dialStarted(dialRevision: 1) == true)
            machine.dialFailed(failure(), now: start, using: &generator)
            #expect(machine.attempt == attempt)
            waits.append(start.duration(to: try down(machine).nextAttemptAt))
        }
        #expect(waits.allSatisfy { $0 >= .seconds(1) && $0 <= .seconds(30) })
        #expect(waits[0] <= .seconds(3), "the first wait is base to three times base")
        #expect(waits.suffix(20).allSatisfy { $0 >= .seconds(10) }, "later ones are near the cap")
        #expect(Set(waits.suffix(20)).count > 15, "and still spread there")
    }

    @Test func acceptThenCloseDoesNotResetTheBackoff() throws {
        var generator = generator
        var machine = machine()
        var last: Duration = .zero
        var now = start
        for attempt in 1...20 {
            opened(&machine, now)
            now = now.advanced(by: .milliseconds(5))
            machine.closed(close(), failure: failure(), now: now, using: &generator)
            #expect(machine.attempt == attempt)
            last = now.duration(to: try down(machine).nextAttemptAt)
            now = now.advanced(by: last)
        }
        #expect(last >= .seconds(10), "it never comes near the cap: \(last)")
        #expect(start.duration(to: now) > .seconds(120), "20 dials took \(start.duration(to: now))")
    }

    @Test func aLinkThatWasStableStartsTheAttemptsAnew() throws {
        var generator = generator
        var machine = machine()
        for _ in 0..<10 {
            #expect(machine.dialStarted(dialRevision: 1) == true)
            machine.dialFailed(failure(), now: start, using: &generator)
        }
        #expect(machine.attempt == 10)
        opened(&machine, start)
        machine.closed(close(), failure: nil, now: after(30), using: &generator)
        #expect(machine.attempt == 1)
        let wait = after(30).duration(to: try down(machine).nextAttemptAt)
        #expect(wait <= .seconds(3), "the wait is drawn from the base again: \(wait)")
    }

    @Test func aLinkThatWasAlmostStableDoesNot() {
        var generator = generator
        var machine = machine()
        for _ in 0..<3 {
            #expect(machine.dialStarted(dialRevision: 1) == true)
            machine.dialFailed(failure(), now: start, using: &generator)
        }
        opened(&machine, start)
        machine.closed(close(), failure: nil, now: after(29.999), using: &generator)
        #expect(machine.attempt == 4)
    }

    @Test func stableAfterZeroTrustsEveryOpen() {
        var generator = generator
        var machine = machine(policy(stableAfter: .zero))
        for _ in 0..<3 {
            opened(&machine, start)
            machine.closed(close(), failure: failure(), now: start, using: &generator)
            #expect(machine.attempt == 1)
        }
    }

    @Test func aFaultCountsAsADropAndIsRemembered() throws {
        var generator = generator
        var machine = machine()
        opened(&machine, start)
        let fault = failure(.transient)
        #expect(machine.closeStarted(.fault(fault)) == true)
        machine.closed(close(), failure: nil, now: after(1), using: &generator)
        #expect(machine.attempt == 1)
        #expect(machine.lastFailure == fault)
        let down = try down(machine)
        #expect(!down.isReopening)
        #expect(down.nextAttemptAt >= after(2), "a fault is inside the back-off")
    }

    @Test(arguments: [FailureClass.authentication, .configuration])
    func whatOnlyAnEditCanHelpWaitsForTheCap(_ failureClass: FailureClass) throws {
        var generator = generator
        var machine = machine()
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.dialFailed(failure(failureClass), now: start, using: &generator)
        let at = try down(machine).nextAttemptAt
        #expect(at >= after(20) && at <= after(30), "near the cap, and spread")
    }

    @Test(arguments: [FailureClass.authentication, .configuration])
    func whatIsRefusedTogetherDoesNotComeBackTogether(_ failureClass: FailureClass) throws {
        var generator = generator
        let instants = try (0..<20).map { _ in
            var machine = machine()
            _ = machine.dialStarted(dialRevision: 1)
            machine.dialFailed(
                failure(failureClass, retryAfter: .seconds(30)), now: start, using: &generator)
            return try down(machine).nextAttemptAt
        }
        #expect(Set(instants).count == 20)
        #expect(instants.allSatisfy { $0 >= after(30) && $0 <= after(36) })
    }

    @Test(arguments: [FailureClass.transient, .throttled, .policy])
    func theOtherClassesDoNot(_ failureClass: FailureClass) throws {
        var generator = generator
        var machine = machine()
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.dialFailed(failure(failureClass), now: start, using: &generator)
        #expect(try down(machine).nextAttemptAt <= after(3))
    }

    @Test func retryAfterIsHonouredAndBounded() throws {
        var generator = generator
        var machine = machine()
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.dialFailed(
            failure(.throttled, retryAfter: .seconds(120)), now: start, using: &generator)
        let asked = try down(machine).nextAttemptAt
        #expect(asked >= after(120) && asked <= after(144), "past the cap if the server says so")
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.dialFailed(
            failure(.throttled, retryAfter: .zero), now: start, using: &generator)
        #expect(try down(machine).nextAttemptAt >= after(1), "never below the back-off")
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.dialFailed(
            failure(.throttled, retryAfter: .seconds(86_400)), now: start, using: &generator)
        let longest = try down(machine).nextAttemptAt
        #expect(longest >= after(3_600) && longest <= after(4_320), "an hour, and the spread")
    }

    @Test func maxAttemptsExhaustsAndAReopenForgives() {
        var generator = generator
        var machine = machine(policy(maxAttempts: 3))
        for attempt in 1...3 {
            #expect(!machine.isExhausted)
            #expect(machine.dialStarted(dialRevision: 1) == true)
            machine.dialFailed(failure(), now: start, using: &generator)
            #expect(machine.attempt == attempt)
        }
        #expect(machine.isExhausted)
        #expect(machine.dialStarted(dialRevision: 2) == true)
        #expect(machine.closeStarted(.reopen(["url"])) == true)
        machine.dialFailed(failure(), now: start, using: &generator)
        #expect(!machine.isExhausted)
    }

    @Test func dropsOfUnstableLinksExhaustToo() {
        var generator = generator
        var machine = machine(policy(maxAttempts: 2))
        for _ in 0..<2 {
            opened(&machine, start)
            machine.closed(close(), failure: failure(), now: after(1), using: &generator)
        }
        #expect(machine.isExhausted)
    }

    @Test func forgivenAttemptsAreDueNow() throws {
        var generator = generator
        var machine = machine(policy(maxAttempts: 1))
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.dialFailed(failure(.authentication), now: start, using: &generator)
        #expect(machine.isExhausted)
        machine.attemptsForgiven(now: after(1))
        #expect(!machine.isExhausted)
        #expect(machine.attempt == 0)
        #expect(try down(machine).nextAttemptAt == after(1))
        #expect(machine.lastFailure != nil, "what happened is still shown")
    }

    @Test func forgivingAttemptsLeavesALiveSocketAlone() {
        var machine = machine()
        opened(&machine, start)
        let before = machine.state
        machine.attemptsForgiven(now: after(1))
        #expect(machine.state == before)
    }

    @Test func aReopenDialsAtOnceAndOutsideTheBackoff() throws {
        var generator = generator
        var machine = machine()
        for _ in 0..<5 {
            #expect(machine.dialStarted(dialRevision: 1) == true)
            machine.dialFailed(failure(), now: start, using: &generator)
        }
        opened(&machine, start)
        #expect(machine.closeStarted(.reopen(["url"])) == true)
        machine.closed(close(1000), failure: nil, now: after(1), using: &generator)
        let down = try down(machine)
        #expect(down.isReopening)
        #expect(down.nextAttemptAt == after(1))
        #expect(machine.attempt == 0)
    }

    @Test func anEditedPolicyHoldsFromTheNextFailureOn() throws {
        var generator = generator
        var machine = machine()
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.dialFailed(failure(), now: start, using: &generator)
        let before = try down(machine).nextAttemptAt
        machine.policyChanged(policy(base: .milliseconds(10), cap: .milliseconds(20)))
        #expect(try down(machine).nextAttemptAt == before, "the running wait stays")
        #expect(machine.dialStarted(dialRevision: 1) == true)
        machine.dialFailed(failure(), now: start, using: &generator)
        #expect(try down(machine).nextAttemptAt <= start.advanced(by: .milliseconds(20)))
        #expect(machine.attempt == 2, "an edit of the policy forgives nothing by itself")
    }

    @Test func theSamePolicyAgainChangesNothing() throws {
        var generator = generator
        var machine = machine()
        for _ in 0..<10 {
            #expect(machine.dialStarted(dialRevision: 1) == true)
            machine.dialFailed(failure(), now: start, using: &generator)
            machine.policyChanged(policy())
        }
        #expect(try down(machine).nextAttemptAt >= after(5), "the back-off was not reset")
    }
}

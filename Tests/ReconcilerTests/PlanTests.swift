import Spec
import TestKit
import Testing

@testable import ManagerCore
@testable import Reconciler

@Suite struct PlanTests {
    private typealias State = ConnectionStateMachine.State

    private let now = Moment(.zero)

    private func observed(
        _ state: State, uid: String = "a", generation: Int64 = 1, isExhausted: Bool = false
    ) -> ObservedConnection {
        var seen = ObservedConnection(name: "a", uid: .sample(uid), generation: generation)
        seen.state = state
        seen.isExhausted = isExhausted
        return seen
    }

    private func dialing(_ revision: Int64 = 1) -> State {
        .dialing(.init(dialRevision: revision))
    }

    private func open(_ revision: Int64 = 1) -> State {
        .open(.init(dialRevision: revision, since: now, isSubscribed: true))
    }

    private func closing(_ cause: ConnectionStateMachine.CloseCause = .removed) -> State {
        .closing(.init(dialRevision: 1, cause: cause, openSince: now))
    }

    private func down(
        _ revision: Int64 = 1, in seconds: Int = 0, isReopening: Bool = false
    ) -> State {
        .down(
            .init(
                dialRevision: revision, nextAttemptAt: now.advanced(by: .seconds(seconds)),
                isReopening: isReopening))
    }

    private func step(_ desired: DesiredConnection?, _ observed: ObservedConnection?) -> PlanStep {
        Plan.step(desired: desired, observed: observed, now: now)
    }

    private var declared: DesiredConnection { .sample("a") }

    private func edited(_ generation: Int64, _ dialRevision: Int64) -> DesiredConnection {
        var desired = declared
        desired.generation = generation
        desired.dialRevision = dialRevision
        return desired
    }

    private var unanswered: DesiredConnection {
        var desired = DesiredConnection.sample("a", keeper: .grpc) { $0.autoReconnect = false }
        desired.isProvisional = true
        desired.spentDialRevision = 1
        return desired
    }

    private var spent: DesiredConnection {
        var desired = DesiredConnection.sample("a") { $0.autoReconnect = false }
        desired.spentDialRevision = 1
        return desired
    }

    // MARK: No record

    @Test func nothingAndNothingIsConverged() {
        #expect(step(nil, nil) == .keep)
    }

    @Test func aSocketWithoutARecordIsClosedAndAnEntryWithoutEitherForgotten() {
        #expect(step(nil, observed(open())) == .close)
        #expect(step(nil, observed(dialing())) == .close)
        #expect(step(nil, observed(closing())) == .keep)
        #expect(step(nil, observed(.idle)) == .release)
        #expect(step(nil, observed(down(in: 60))) == .release)
    }

    // MARK: A record without a socket

    @Test func aRecordWithoutASocketIsDialled() {
        #expect(step(declared, nil) == .open)
        #expect(step(declared, observed(.idle)) == .open)
        #expect(step(declared, observed(down())) == .open)
    }

    @Test func theBackoffIsWaitedFor() {
        #expect(
            step(declared, observed(down(in: 60)))
                == .wait(until: now.advanced(by: .seconds(60))))
    }

    @Test func aReopenAndAnEditAreOutsideTheBackoff() {
        #expect(step(declared, observed(down(in: 60, isReopening: true))) == .open)
        #expect(step(edited(2, 2), observed(down(1, in: 60))) == .open)
    }

    @Test func anEditIsPutInForceDuringTheBackoff() {
        #expect(step(edited(2, 1), observed(down(1, in: 60))) == .update)
    }

    @Test func exhaustedAttemptsBlockUntilAnEdit() {
        #expect(
            step(declared, observed(down(), isExhausted: true)) == .blocked(.attemptsExhausted))
        #expect(step(edited(2, 1), observed(down(), isExhausted: true)) == .update)
        #expect(step(edited(2, 2), observed(down(), isExhausted: true)) == .open)
    }

    @Test func aSpentDialBlocksAlsoAfterARestart() {
        #expect(step(spent, observed(down())) == .blocked(.reconnectDisabled))
        #expect(step(spent, nil) == .blocked(.reconnectDisabled))
        var edited = spent
        edited.dialRevision = 2
        #expect(step(edited, observed(down())) == .open)
        #expect(step(edited, nil) == .open)
    }

    @Test func anEntryOfAnotherLifeIsForgottenFirst() {
        #expect(step(declared, observed(down(in: 60), uid: "old")) == .release)
        #expect(step(declared, observed(.idle, uid: "old")) == .release)
    }

    // MARK: A record and a socket

    @Test func aSocketThatIsAsDeclaredIsKept() {
        #expect(step(declared, observed(open())) == .keep)
        #expect(step(declared, observed(dialing())) == .keep)
        #expect(step(spent, observed(open())) == .keep)
    }

    @Test func aSocketWithAnOldSpecIsReopenedOrUpdated() {
        #expect(step(edited(2, 2), observed(open(1))) == .reopen(.edited))
        #expect(step(edited(2, 2), observed(dialing(1))) == .reopen(.edited))
        #expect(step(edited(2, 1), observed(open(1))) == .update)
        #expect(step(edited(2, 1), observed(dialing(1))) == .update)
    }

    @Test func aSocketOfAnotherLifeIsReplaced() {
        #expect(step(declared, observed(open(), uid: "old")) == .reopen(.replaced))
        #expect(step(declared, observed(dialing(), uid: "old")) == .reopen(.replaced))
        #expect(step(declared, observed(closing(), uid: "old")) == .keep)
    }

    @Test func aClosingSocketIsWaitedFor() {
        #expect(step(declared, observed(closing(.reopen([])))) == .keep)
        #expect(step(edited(3, 3), observed(closing())) == .keep)
    }

    // MARK: Unanswered Connects

    @Test func anUnansweredConnectIsDialledOnceThenConfirmedOrDiscarded() {
        #expect(step(unanswered, nil) == .open)
        #expect(step(unanswered, observed(dialing())) == .keep)
        #expect(step(unanswered, observed(open())) == .confirm)
        #expect(step(unanswered, observed(down())) == .discard)
        var reconnecting = unanswered
        reconnecting.spec.autoReconnect = true
        #expect(
            step(reconnecting, observed(down(in: 60))) == .discard,
            "auto_reconnect counts from the first open on")
    }

    // MARK: The whole plan

    @Test func aPlanIsSortedAndLeavesOutWhatIsConverged() {
        var waiting = observed(down(in: 20))
        waiting.name = "waits"
        waiting.uid = .sample("waits")
        var later = observed(down(in: 50))
        later.name = "waits-longer"
        later.uid = .sample("waits-longer")
        var orphan = observed(open())
        orphan.name = "orphan"
        let plan = Plan.compute(
            desired: [
                .sample("z"), .sample("waits-longer"), .sample("waits"), declared, .sample("b"),
            ],
            observed: [orphan, waiting, later, observed(open())], now: now)
        #expect(
            plan.entries == [
                .init(name: "b", step: .open), .init(name: "orphan", step: .close),
                .init(name: "z", step: .open),
            ])
        #expect(plan.followUpAt == now.advanced(by: .seconds(20)))
        #expect(!plan.isEmpty)
    }

    @Test func aConvergedWorldHasAnEmptyPlan() {
        let plan = Plan.compute(desired: [declared], observed: [observed(open())], now: now)
        #expect(plan.isEmpty)
        #expect(plan.followUpAt == nil)
        #expect(Plan.compute(desired: [], observed: [], now: now).isEmpty)
    }
}

import Spec
import Testing

@testable import ManagerCore

@Suite struct ConnectionStatusTests {
    private let now = WallTime(nanosecondsSinceEpoch: 1_000)
    private let instant = Moment(.zero)

    private func desired(
        _ edit: (inout ConnectionSpec) -> Void = { _ in }
    ) throws -> DesiredConnection {
        var spec = ConnectionSpec(url: "ws://example.test/feed")
        edit(&spec)
        return DesiredConnection(
            name: "a", uid: try #require(ConnectionUID(rawValue: "uid-a")),
            createdAt: now, keeper: .grpc, spec: spec)
    }

    private func observed(
        _ state: ConnectionStateMachine.State,
        _ edit: (inout ObservedConnection) -> Void = { _ in }
    ) throws -> ObservedConnection {
        var seen = ObservedConnection(
            name: "a", uid: try #require(ConnectionUID(rawValue: "uid-a")), generation: 1)
        seen.state = state
        edit(&seen)
        return seen
    }

    private func open(
        isSubscribed: Bool = true, _ edit: (inout ObservedConnection) -> Void = { _ in }
    ) throws -> ObservedConnection {
        try observed(
            .open(.init(dialRevision: 1, since: instant, isSubscribed: isSubscribed)), edit)
    }

    private func down(
        _ edit: (inout ObservedConnection) -> Void = { _ in }
    ) throws -> ObservedConnection {
        try observed(
            .down(.init(dialRevision: 1, nextAttemptAt: instant, isReopening: false)), edit)
    }

    private func status(
        _ desired: DesiredConnection, _ observed: ObservedConnection?
    ) -> ConnectionStatus {
        ConnectionStatus(desired: desired, observed: observed, now: now)
    }

    private func condition(_ type: String, _ status: ConnectionStatus) throws -> Condition {
        try #require(status.conditions.first { $0.type == type })
    }

    // MARK: Phases

    @Test func aConnectionNeverDialledIsPending() throws {
        let status = status(try desired(), nil)
        #expect(status.phase == .pending)
        #expect(status.ready.status == .no)
        #expect(try condition("Connected", status).message == "waiting for its first dial")
        #expect(status.observed.generation == 0)
    }

    @Test func theFirstDialIsConnectingAndLaterOnesReconnecting() throws {
        let dialing = ConnectionStateMachine.State.dialing(.init(dialRevision: 1))
        #expect(status(try desired(), try observed(dialing)).phase == .connecting)
        #expect(
            status(try desired(), try observed(dialing) { $0.attempt = 2 }).phase == .reconnecting)
        #expect(
            status(try desired(), try observed(dialing) { $0.hasBeenOpen = true }).phase
                == .reconnecting)
    }

    @Test func downWithAutoReconnectIsReconnecting() throws {
        let status = status(try desired(), try down())
        #expect(status.phase == .reconnecting)
        #expect(status.stall == nil)
        #expect(try condition("Reconciling", status).status == .yes)
        #expect(try condition("Stalled", status).status == .no)
    }

    @Test func closingIsClosing() throws {
        let closing = ConnectionStateMachine.State.closing(
            .init(dialRevision: 1, cause: .removed, openSince: nil))
        #expect(status(try desired(), try observed(closing)).phase == .closing)
    }

    @Test(arguments: [
        (Phase.pending, "connecting"), (.connecting, "connecting"), (.connected, "connected"),
        (.reconnecting, "reconnecting"), (.disconnected, "disconnected"),
        (.stalled, "disconnected"), (.closing, "disconnected"),
    ])
    func theOlderApisWordFollowsThePhase(_ phase: Phase, _ word: String) {
        #expect(phase.statusWord.rawValue == word)
    }

    // MARK: Ready

    @Test func readyNeedsOpenSubscribedGenerationAndBus() throws {
        let withTopic = try desired { $0.topic = "trades" }
        #expect(status(withTopic, try open()).ready.status == .yes)

        let writing = status(withTopic, try open(isSubscribed: false)).ready
        #expect(writing.status == .no)
        #expect(writing.reason == "WritingOnOpen")

        var edited = withTopic
        edited.generation = 2
        let behind = status(edited, try open()).ready
        #expect(behind.status == .no)
        #expect(behind.reason == "Reconciling")
        #expect(behind.message.contains("generation 2"))

        let noBus = status(withTopic, try open { $0.publishFailure = "no broker" }).ready
        #expect(noBus.status == .no)
        #expect(noBus.reason == "BusUnavailable")
        #expect(noBus.message == "no broker")
    }

    @Test func theBusDoesNotMatterWithoutATopic() throws {
        let status = status(try desired(), try open { $0.publishFailure = "no broker" })
        #expect(status.ready.status == .yes)
        #expect(try condition("Publishing", status).reason == "NoTopic")
    }

    @Test func readyStandsFirstAndEveryConditionOnce() throws {
        let status = status(try desired(), try open())
        #expect(
            status.conditions.map(\.type)
                == [
                    "Ready", "Connected", "Subscribed", "Publishing", "Owned", "Reconciling",
                    "Stalled",
                ])
        #expect(status.conditions.allSatisfy { $0.observedGeneration == 1 })
        #expect(status.conditions.allSatisfy { !$0.reason.isEmpty })
    }

    // MARK: Stalls

    @Test func aSpentDialIsDisconnectedWithReconnectDisabled() throws {
        var desired = try desired { $0.autoReconnect = false }
        desired.spentDialRevision = 1
        let status = status(desired, try down())
        #expect(status.stall == .reconnectDisabled)
        #expect(status.phase == .disconnected)
        #expect(status.ready.reason == "ReconnectDisabled")
        #expect(try condition("Stalled", status).status == .no, "it does what was asked of it")
        #expect(try condition("Reconciling", status).status == .no)
    }

    @Test func aSpentDialIsNoStallWhileItsSocketLives() throws {
        var desired = try desired { $0.autoReconnect = false }
        desired.spentDialRevision = 1
        #expect(status(desired, try open()).stall == nil)
        #expect(
            status(desired, try observed(.dialing(.init(dialRevision: 1)))).phase == .connecting)
    }

    @Test func aSpentDialHoldsOverARestart() throws {
        var desired = try desired { $0.autoReconnect = false }
        desired.spentDialRevision = 1
        let status = status(desired, nil)
        #expect(status.phase == .disconnected)
        #expect(status.ready.reason == "ReconnectDisabled")
    }

    @Test func exhaustedAttemptsStallUntilAnEdit() throws {
        let desired = try desired { $0.reconnect.maxAttempts = 2 }
        let seen = try down {
            $0.attempt = 2
            $0.isExhausted = true
            $0.lastFailure = LinkFailure(
                failureClass: .transient, code: "refused", message: "nobody listens", at: now)
        }
        let stalled = status(desired, seen)
        #expect(stalled.phase == .stalled)
        #expect(stalled.ready.reason == "AttemptsExhausted")
        let condition = try condition("Stalled", stalled)
        #expect(condition.status == .yes)
        #expect(condition.reason == "AttemptsExhausted")
        #expect(condition.message == "nobody listens")
        var edited = desired
        edited.generation = 2
        edited.dialRevision = 2
        #expect(status(edited, seen).stall == nil)
    }

    @Test func aMissingSecretStallsWithItsSentence() throws {
        let status = status(
            try desired(), try down { $0.missingSecret = "secret env:WSM_SECRET_T is not set" })
        #expect(status.phase == .stalled)
        #expect(status.ready.reason == "SecretUnavailable")
        #expect(status.ready.message == "secret env:WSM_SECRET_T is not set")
        #expect(try condition("Stalled", status).status == .yes)
    }

    @Test(arguments: [true, false])
    func aRefusedAddressStallsWithItsSentence(_ autoReconnect: Bool) throws {
        let desired = try desired { $0.autoReconnect = autoReconnect }
        let status = status(desired, try down { $0.refusedAddress = "10.0.0.1 is refused" })
        #expect(status.phase == .stalled)
        for type in ["Ready", "Connected"] {
            let condition = try condition(type, status)
            #expect(condition.status == .no)
            #expect(condition.reason == "AddressRefused")
            #expect(condition.message == "10.0.0.1 is refused")
        }
        #expect(try condition("Stalled", status).status == .yes)
    }

    @Test func theMessageSaysHowTheLastSocketEnded() throws {
        let seen = try down {
            $0.lastClose = LinkClose(code: 1001, reason: "restart", by: .remote, at: now)
        }
        let message = try condition("Connected", status(try desired(), seen)).message
        #expect(message == "closed with 1001 (restart) by remote")
    }

    // MARK: Transition times

    @Test func transitionTimesAreKeptWhileTheStatusStays() throws {
        let desired = try desired()
        var seen = try open()
        _ = seen.facts.noteConditions(desired: desired, now: now)
        let later = WallTime(nanosecondsSinceEpoch: 9_000)
        let same = ConnectionStatus(desired: desired, observed: seen, now: later)
        #expect(same.conditions.allSatisfy { $0.lastTransitionTime == now })
        #expect(seen.facts.noteConditions(desired: desired, now: later) == same.phase)

        var lost = try down()
        lost.conditionsSince = seen.conditionsSince
        let changed = ConnectionStatus(desired: desired, observed: lost, now: later)
        #expect(changed.ready.lastTransitionTime == later)
        #expect(try condition("Owned", changed).lastTransitionTime == now)
        #expect(try condition("Stalled", changed).lastTransitionTime == now)
        #expect(try condition("Reconciling", changed).lastTransitionTime == later)
    }

    @Test func aCopyThatIsEditedLeavesTheOtherAsItWas() throws {
        let before = try down()
        var after = before
        #expect(after == before)
        after.remoteAddress = "10.0.0.1:9"
        after.attempt = 7
        #expect(before.remoteAddress == nil)
        #expect(before.attempt != 7)
        #expect(after != before)
        after.remoteAddress = nil
        after.attempt = before.attempt
        #expect(after == before)
        #expect(after.hashValue == before.hashValue)
    }

    @Test func anotherReasonForTheSameStatusKeepsTheTime() throws {
        let desired = try desired { $0.topic = "trades" }
        var seen = try down()
        _ = seen.facts.noteConditions(desired: desired, now: now)
        let later = WallTime(nanosecondsSinceEpoch: 9_000)
        seen.state = .dialing(.init(dialRevision: 1))
        let dialing = ConnectionStatus(desired: desired, observed: seen, now: later)
        #expect(dialing.ready.status == .no)
        #expect(dialing.ready.lastTransitionTime == now)
    }
}

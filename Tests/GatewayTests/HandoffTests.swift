import GRPCCore
import Testing

@testable import Gateway

struct HandoffTests {
    @Test func messagesComeInOrderAndThenTheEnd() async throws {
        let handoff = Handoff()
        let producer = Task {
            for value in 0..<100 as Range<UInt8> { try await handoff.put([value]) }
            handoff.end(RPCFailure(.notFound, "x"))
        }
        for value in 0..<100 as Range<UInt8> {
            guard case .message(let message) = await handoff.next() else {
                Issue.record("no message")
                return
            }
            #expect(message == [value])
        }
        guard case .ended(let failure) = await handoff.next() else {
            Issue.record("no end")
            return
        }
        #expect(failure?.code == .notFound)
        try await producer.value
    }

    @Test func theProducerWaitsForTheConsumer() async throws {
        let handoff = Handoff()
        let producer = Task { () -> Bool in
            try await handoff.put([1])
            return true
        }
        handoff.tick()
        guard case .message = await handoff.next() else {
            Issue.record("no message")
            return
        }
        #expect(try await producer.value)
    }

    @Test func anEndFreesAProducerWithAnError() async {
        let handoff = Handoff()
        let producer = Task { try await handoff.put([1]) }
        handoff.end(nil)
        await #expect(throws: CancellationError.self) {
            try await producer.value
            // The message was given before the end, or it was not: it is not taken either way.
            try await handoff.put([2])
        }
    }

    @Test func aTickWakesOnlyAConsumerThatWaits() async {
        let handoff = Handoff()
        // Nobody waits yet: nothing is remembered.
        handoff.tick()
        async let event = handoff.next()
        let waker = Task {
            while !Task.isCancelled {
                handoff.tick()
                await Task.yield()
            }
        }
        guard case .silence = await event else {
            Issue.record("not silence")
            return
        }
        waker.cancel()
        handoff.end(nil)
        guard case .ended(nil) = await handoff.next() else {
            Issue.record("no end")
            return
        }
    }

    @Test func theFirstEndCounts() async {
        let handoff = Handoff()
        handoff.end(.goingAway)
        handoff.end(nil)
        guard case .ended(let failure?) = await handoff.next() else {
            Issue.record("no failure")
            return
        }
        #expect(failure.code == .unavailable)
    }
}

struct GatewayCallTests {
    @Test func aSenderWaitsAtTheBoundUntilSomethingArrived() async throws {
        let call = GatewayCall()
        for _ in 0..<HTTPLimits.messagesInFlight { try await call.willSend() }
        let sender = Task { try await call.willSend() }
        call.arrived()
        try await sender.value
    }

    @Test func aCallerThatLeavesFreesTheSender() async throws {
        let call = GatewayCall()
        for _ in 0..<HTTPLimits.messagesInFlight { try await call.willSend() }
        let sender = Task { try await call.willSend() }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await sender.value }
    }

    @Test func theServiceIsToldAlsoWhenItBeginsLate() {
        let call = GatewayCall()
        let early = ServerContext.RPCCancellationHandle()
        call.onCancel(early)
        #expect(!early.isCancelled)
        call.cancel()
        #expect(early.isCancelled)
        let late = ServerContext.RPCCancellationHandle()
        call.onCancel(late)
        #expect(late.isCancelled)
    }
}

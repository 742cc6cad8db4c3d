import Spec
import TestKit
import Testing

@testable import ManagerCore

@Suite struct LifecycleEventTests {
    private func data(_ kind: LifecycleEvent.Kind) -> String {
        let event = LifecycleEvent(
            connectionID: "btc", url: "wss://h/ws", instanceID: "host:5002", kind: kind)
        return String(decoding: event.dataJSON(), as: UTF8.self)
    }

    private let head = #"{"connection_id":"btc","url":"wss://h/ws","instance_id":"host:5002","#
    private let time = WallTime(nanosecondsSinceEpoch: 1_000_000)

    @Test func dataHasTheOlderServicesFields() {
        #expect(data(.connected(reason: .connecting)) == head + #""reason":"connecting"}"#)
        #expect(data(.disconnected(reason: .connected)) == head + #""reason":"connected"}"#)
        #expect(
            data(.reconnecting(reason: .connected, attempt: 1, nextAttemptAt: nil))
                == head + #""reason":"connected","attempt":1}"#)
        #expect(
            data(.reconnecting(reason: .connected, attempt: 12, nextAttemptAt: time))
                == head + #""reason":"connected","attempt":12,"#
                + #""next_attempt_at":"1970-01-01T00:00:00.001000Z"}"#)
        #expect(
            data(.error(type: "refused", message: "a \"quoted\" word"))
                == head + #""error_type":"refused","error_message":"a \"quoted\" word"}"#)
    }

    @Test func aGapNamesItsTwoEndsAndItsCause() {
        let gap = LifecycleEvent.Gap(
            from: .init(epoch: 1, sequence: 17, time: time), to: .init(epoch: 2),
            cause: .restart)
        #expect(
            data(.gap(gap))
                == head + #""from":{"epoch":"1","sequence":"17","#
                + #""time":"1970-01-01T00:00:00.001000Z"},"to":{"epoch":"2"},"cause":"restart"}"#)
        let counted = LifecycleEvent.Gap(
            from: .init(epoch: 2, sequence: 4), to: .init(epoch: 2, sequence: 9),
            cause: .overflow, missed: 4)
        #expect(
            data(.gap(counted))
                == head + #""from":{"epoch":"2","sequence":"4"},"#
                + #""to":{"epoch":"2","sequence":"9"},"cause":"overflow","missed":"4"}"#)
    }

    private func run(_ event: LifecycleEvent) -> EventRun {
        event.run(uid: .sample("u"), sequence: 3, time: time, permit: BusConformance.Permit(true))
    }

    private func event(_ kind: LifecycleEvent.Kind) -> LifecycleEvent {
        LifecycleEvent(connectionID: "btc", url: "wss://h/ws", instanceID: "i", kind: kind)
    }

    @Test func theEventCarriesTypeSourceAndSubject() {
        let run = run(event(.connecting(reason: .disconnected)))
        let event = run[0]
        #expect(event.id.description == "uid-u-lifecycle.1.3")
        #expect(event.attributes.map(\.value) == ["btc", "wss://h/ws"])
        #expect(event.topic == "websocketmanager.lifecycle")
        #expect(event.type == "com.virtufin.websocketmanager.connection.connecting")
        #expect(event.source == "urn:com.virtufin.websocketmanager")
        #expect(event.subject == "connection/btc")
        #expect(event.time == time)
        #expect(JSONText.type(of: event.payload) == .object)
    }

    private var kinds: [LifecycleEvent.Kind] {
        let edge = LifecycleEvent.Gap.Edge(epoch: .max, sequence: .max, time: time)
        return [
            .connecting(reason: .reconnecting), .connected(reason: .disconnected),
            .disconnected(reason: .connected),
            .reconnecting(reason: .connected, attempt: .max, nextAttemptAt: time),
            .error(type: "refused", message: "connection refused"),
            .gap(
                .init(from: edge, to: edge, cause: .disconnected, missed: .max, matched: .ambiguous)
            ),
        ]
    }

    /// What lies in the ring unwritten reads as the event that was written at once.
    @Test func anEventReadsTheSameHoweverOftenAndByWhichWay() {
        for kind in kinds {
            let run = run(event(kind))
            let block = event(kind).block(
                uid: .sample("u"), sequence: 3, time: time, permit: BusConformance.Permit(true))
            #expect(run[0] == EventRun(block)[0])
            #expect(run[0] == run[0])
            #expect(run.written[0] == run[0])
            #expect(run.id(at: 0) == run[0].id)
            #expect(run.count == 1 && run.lastSequence == 3 && run.sequence(at: 0) == 3)
            #expect(run.topic == run[0].topic && run.source == run[0].source)
            #expect(run.uid == run[0].id.uid)
            #expect(run.delivery == run.block.delivery)
            var payloads: [[UInt8]] = []
            run.forEachPayload(from: 0) { _, payload in
                payloads.append(Array(payload))
                return true
            }
            #expect(payloads == [event(kind).dataJSON()])
            #expect(run.payloadRange(at: 0) == 0..<payloads[0].count)
        }
    }

    /// The golden form of an event, as a consumer of the topic reads it.
    @Test func theCloudEventIsTheOlderServices() throws {
        let json = try #require(
            CloudEventWriter.json(run(event(.connected(reason: .connecting)))[0], data: .auto))
        #expect(
            String(decoding: json, as: UTF8.self)
                == #"{"specversion":"1.0","id":"uid-u-lifecycle.1.3","#
                + #""source":"urn:com.virtufin.websocketmanager","#
                + #""type":"com.virtufin.websocketmanager.connection.connected","#
                + #""subject":"connection/btc","time":"1970-01-01T00:00:00.001000Z","#
                + #""datacontenttype":"application/json","websocketid":"btc","#
                + #""websocketurl":"wss://h/ws","epoch":"1","sequence":"3","#
                + #""data":{"connection_id":"btc","url":"wss://h/ws","instance_id":"i","#
                + #""reason":"connecting"}}"#)
    }

    @Test func anUnwrittenEventCountsForNoLessThanItsData() {
        for kind in kinds {
            let run = run(event(kind))
            let written = run.written.bytes
            #expect(run.bytes >= written, "\(kind)")
            #expect(run.bytes <= written + 192, "\(kind)")
            #expect(run.bytes(at: 0) == run.bytes)
        }
    }

    @Test func whatWentOutLateIsToldWithTheEvent() {
        var late = event(.connected(reason: .connecting))
        late.publishedLate = 4
        let text = String(decoding: run(late)[0].payload, as: UTF8.self)
        #expect(text.hasSuffix(#""reason":"connecting","published_late":"4"}"#))
    }

    /// A ring holds its bound of events whose JSON nobody has asked for, and its bound of bytes.
    @Test func aRingIsBoundedByWhatUnwrittenEventsCountFor() {
        let run = run(event(.error(type: "t", message: String(repeating: "m", count: 1_000))))
        var ring = TopicRing<EventRun>(maxMessages: 100, maxBytes: 10 * run.bytes)
        for _ in 0..<50 { ring.append(run) }
        #expect(ring.count == 10)
        #expect(ring.bytes == 10 * run.bytes)
    }
}

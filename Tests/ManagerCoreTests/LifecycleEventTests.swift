import ManagerCore
import Testing

@Suite struct LifecycleEventTests {
    private func data(_ kind: LifecycleEvent.Kind) -> String {
        let event = LifecycleEvent(
            connectionID: "btc", url: "wss://h/ws", instanceID: "host:5002", kind: kind)
        return String(decoding: event.dataJSON(), as: UTF8.self)
    }

    private let head = #"{"connection_id":"btc","url":"wss://h/ws","instance_id":"host:5002","#
    private let time = WallTime(nanosecondsSinceEpoch: 1_000_000)

    @Test func dataHasTheOlderServicesFields() {
        #expect(data(.connected(reason: "connecting")) == head + #""reason":"connecting"}"#)
        #expect(data(.disconnected(reason: "connected")) == head + #""reason":"connected"}"#)
        #expect(
            data(.reconnecting(reason: "connected", attempt: 1, nextAttemptAt: nil))
                == head + #""reason":"connected","attempt":1}"#)
        #expect(
            data(.reconnecting(reason: "connected", attempt: 12, nextAttemptAt: time))
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

    @Test func theEventCarriesTypeSourceAndSubject() throws {
        let uid = try #require(ConnectionUID(rawValue: "u"))
        let run = LifecycleEvent(
            connectionID: "btc", url: "wss://h/ws", instanceID: "i",
            kind: .connecting(reason: "disconnected")
        ).run(id: EventID(uid: uid, epoch: 1, sequence: 3), time: time, permit: nil)
        let event = run[0]
        #expect(event.id.description == "u-lifecycle.1.3")
        #expect(event.attributes.map(\.value) == ["btc", "wss://h/ws"])
        #expect(event.topic == "websocketmanager.lifecycle")
        #expect(event.type == "com.virtufin.websocketmanager.connection.connecting")
        #expect(event.source == "urn:com.virtufin.websocketmanager")
        #expect(event.subject == "connection/btc")
        #expect(event.time == time)
        #expect(JSONText.type(of: event.payload) == .object)
    }
}

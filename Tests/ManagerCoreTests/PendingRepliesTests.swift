import ManagerCore
import Spec
import Testing

@Suite struct PendingRepliesTests {
    typealias Replies = PendingReplies<String>
    private let start = Moment(.zero)

    private func rule(
        _ mode: ConnectionSpec.CorrelationMode, field: String = "id", maxPending: Int = 10,
        matches: CorrelationRule.Matcher? = nil
    ) throws -> CorrelationRule {
        CorrelationRule(
            mode: mode, field: try JSONRoute(field), matches: matches,
            maxPending: maxPending)
    }

    private func prepare(
        _ replies: inout Replies, _ text: String, _ rule: CorrelationRule,
        waiter: String = "w", isText: Bool = true, id: UInt64 = 1, after seconds: Int = 10
    ) -> Replies.Prepared {
        replies.prepare(
            Array(text.utf8), isText: isText, rule: rule, waiter: waiter,
            deadline: start.advanced(by: .seconds(seconds)),
            freshID: UUIDBytes(high: 0x0102_0304_0506_4708, low: 0x8900_0000_0000_0000 + id))
    }

    private func uuid(_ id: UInt64) -> String {
        UUIDBytes(high: 0x0102_0304_0506_4708, low: 0x8900_0000_0000_0000 + id).description
    }

    // MARK: jsonField

    @Test(arguments: [
        (#"{"m":"x"}"#, #"{"id":"ID","m":"x"}"#, #"{"id":"ID","r":1}"#, #"{"r":1}"#),
        (
            #"{"id":"mine","a":1}"#, #"{"id":"ID","a":1}"#, #"{"r":0, "id" : "ID"}"#,
            #"{"r":0, "id" : "mine"}"#
        ),
        (#"{"id":{"x":[1]}}"#, #"{"id":"ID"}"#, #"{"id":"ID"}"#, #"{"id":{"x":[1]}}"#),
        (#"{"id":null}"#, #"{"id":"ID"}"#, #"{"id":"ID"}"#, #"{"id":null}"#),
        (#"{"id":1.5}"#, #"{"id":"ID"}"#, #"{"id":"ID"}"#, #"{"id":1.5}"#),
        ("{}", #"{"id":"ID"}"#, #"{"id":"ID"}"#, "{}"),
    ])
    func theCallersOwnIDIsRestored(
        message: String, sent: String, reply: String, response: String
    ) throws {
        var replies = Replies()
        let prepared = prepare(&replies, message, try rule(.auto))
        #expect(prepared.text == sent.replacing("ID", with: uuid(1)))
        let got = replies.received(Array(reply.replacing("ID", with: uuid(1)).utf8), isText: true)
        #expect(got?.waiter == "w")
        #expect(got?.text == response)
        #expect(replies.count == 0)
        #expect(replies.nextDeadline == nil)
    }

    @Test func anIntegerIDIsReplacedByAnInteger() throws {
        var replies = Replies()
        let first = prepare(&replies, #"{"id":7,"m":1}"#, try rule(.auto), waiter: "a", id: 99)
        let second = prepare(&replies, #"{"id":7,"m":2}"#, try rule(.auto), waiter: "b", id: 99)
        #expect(first.text == #"{"id":100,"m":1}"#)
        #expect(second.text?.hasPrefix(#"{"id":10"#) == true)
        #expect(first.text?.prefix(9) != second.text?.prefix(9))
        let id = try #require(second.text?.dropFirst(6).prefix { $0 != "," })
        let reply = replies.received(Array(#"{"r":2,"id":\#(id)}"#.utf8), isText: true)
        #expect(reply?.waiter == "b")
        #expect(reply?.text == #"{"r":2,"id":7}"#)
        #expect(replies.received(Array(#"{"r":1,"id":"100"}"#.utf8), isText: true) == nil)
        #expect(replies.received(Array(#"{"r":1,"id":100}"#.utf8), isText: true)?.waiter == "a")
    }

    @Test func aFieldDeepInsideIsUsed() throws {
        var replies = Replies()
        let deep = try rule(.jsonField, field: "$.meta.req.0")
        let prepared = prepare(&replies, #"{"meta":{"req":["x",1]},"d":"}"}"#, deep)
        #expect(prepared.text == #"{"meta":{"req":["\#(uuid(1))",1]},"d":"}"}"#)
        let reply = #"{"meta":{"req":["\#(uuid(1))"]}}"#
        let got = replies.received(Array(reply.utf8), isText: true)
        #expect(got?.text == #"{"meta":{"req":["x"]}}"#)
    }

    @Test func parentsThatWereMadeAreTakenOutAgain() throws {
        var replies = Replies()
        let prepared = prepare(&replies, #"{"a":1}"#, try rule(.jsonField, field: "m.id"))
        #expect(prepared.text == #"{"m":{"id":"\#(uuid(1))"},"a":1}"#)
        let reply = #"{"ok":true,"m":{"id":"\#(uuid(1).uppercased())"}}"#
        #expect(replies.received(Array(reply.utf8), isText: true)?.text == #"{"ok":true}"#)
    }

    @Test func messagesOfOthersAreLeftAlone() throws {
        var replies = Replies()
        _ = prepare(&replies, "{}", try rule(.auto))
        for text in [
            "", "{", "[]", #"{"id":"other"}"#, #"{"id":\#(Int.max)}"#, #"{"id":[]}"#, "{}",
            #"{"x":{"id":"\#(uuid(1))"}}"#, #"{"id":"\#(uuid(1))""#, uuid(1),
        ] {
            #expect(replies.received(Array(text.utf8), isText: true) == nil)
        }
        #expect(replies.count == 1)
        #expect(replies.received(Array(#"{"id":"\#(uuid(1))"}"#.utf8), isText: true) != nil)
        #expect(replies.received(Array(#"{"id":"\#(uuid(1))"}"#.utf8), isText: true) == nil)
    }

    // MARK: envelope and prefix

    @Test(arguments: [
        (#"{"id":"ID","payload":"a\"b\u00e9"}"#, "a\"bé"),
        (#"{"payload":{"x":1},"id":"ID"}"#, #"{"x":1}"#),
        (#"{"id":"ID","payload":null}"#, "null"),
        (#"{"id":"ID","error":"no"}"#, #"{"id":"ID","error":"no"}"#),
    ])
    func anEnvelopeCarriesTextAndItsReplysPayloadComesBack(reply: String, response: String) throws {
        var replies = Replies()
        let prepared = prepare(&replies, "say \"hi\"\n", try rule(.envelope))
        #expect(prepared.text == #"{"id":"\#(uuid(1))","payload":"say \"hi\"\n"}"#)
        let got = replies.received(Array(reply.replacing("ID", with: uuid(1)).utf8), isText: true)
        #expect(got?.text == response.replacing("ID", with: uuid(1)))
    }

    @Test func aPrefixGoesInFrontOfBinaryAndIsTakenOff() throws {
        var replies = Replies()
        let prepared = prepare(&replies, "\u{1}x", try rule(.auto), isText: false)
        guard case .send(let frame, _) = prepared else {
            Issue.record("not sent")
            return
        }
        #expect(!frame.isText)
        #expect(frame.bytes.count == 18)
        #expect(frame.bytes.suffix(2) == [1, 0x78])
        #expect(replies.received(Array(frame.bytes.prefix(15)), isText: false) == nil)
        #expect(replies.received(frame.bytes, isText: true) == nil)
        let reply = replies.received(frame.bytes.prefix(16) + [9, 8], isText: false)
        #expect(reply?.response == [9, 8])
        #expect(reply?.isText == false)
    }

    // MARK: refusals

    @Test(arguments: [
        (ConnectionSpec.CorrelationMode.auto, "hello", true, CorrelationRefusal.textWithoutID),
        (.auto, "[1]", true, .textWithoutID), (.auto, "{\"a\"}", true, .textWithoutID),
        (.jsonField, "hello", true, .notJSONObject),
        (.jsonField, "{\"a\":1,}", false, .notJSONObject),
        (.envelope, "{}", false, .notText), (.prefix, "x", true, .notBinary),
    ])
    func whatCannotBeMarkedIsRefused(
        mode: ConnectionSpec.CorrelationMode, message: String, isText: Bool,
        refusal: CorrelationRefusal
    ) throws {
        var replies = Replies()
        let prepared = prepare(&replies, message, try rule(mode), isText: isText)
        #expect(prepared == .refused(refusal))
        #expect(refusal.field == "correlation.mode")
        #expect(refusal.description.contains("correlation.mode"))
        #expect(replies.count == 0)
    }

    @Test func aScalarInTheWayIsRefused() throws {
        var replies = Replies()
        let deep = try rule(.jsonField, field: "a.id")
        let path = try JSONRoute("a.id")
        #expect(prepare(&replies, #"{"a":1}"#, deep) == .refused(.fieldUnreachable(path)))
        #expect(CorrelationRefusal.fieldUnreachable(path).description.contains("a.id"))
    }

    @Test func moreThanMaxPendingIsRefused() throws {
        var replies = Replies()
        let two = try rule(.auto, maxPending: 2)
        _ = prepare(&replies, "{}", two, id: 1)
        _ = prepare(&replies, "{}", two, id: 2)
        #expect(prepare(&replies, "{}", two, id: 3) == .refused(.tooManyPending(limit: 2)))
        _ = replies.received(Array(#"{"id":"\#(uuid(1))"}"#.utf8), isText: true)
        #expect(prepare(&replies, "{}", two, id: 3).text != nil)
    }

    // MARK: next

    @Test func modeNextHasOneOnTheWireAndTheOthersInOrder() throws {
        var replies = Replies()
        let next = try rule(.next)
        #expect(prepare(&replies, "1", next, waiter: "a").text == "1")
        let second = prepare(&replies, "2", next, waiter: "b")
        #expect(second.isQueued)
        #expect(prepare(&replies, "3", next, waiter: "c").isQueued)
        let first = replies.received([1], isText: false)
        #expect(first?.waiter == "a")
        #expect(first?.response == [1])
        #expect(first?.thenSend == .init(bytes: Array("2".utf8), isText: true))
        #expect(replies.nextToken == second.token)
        #expect(replies.received([2], isText: false)?.waiter == "b")
        let last = replies.received([3], isText: false)
        #expect(last?.waiter == "c")
        #expect(last?.thenSend == nil)
        #expect(replies.received([4], isText: false) == nil)
    }

    @Test func modeNextTakesOnlyWhatMatches() throws {
        var replies = Replies()
        _ = prepare(&replies, "1", try rule(.next) { bytes, isText in isText && bytes == [0x6F] })
        #expect(replies.received([0x6F], isText: false) == nil)
        #expect(replies.received([0x70], isText: true) == nil)
        #expect(replies.received([0x6F], isText: true)?.waiter == "w")
    }

    @Test func anExpiredSendOfModeNextLetsTheNextOneGo() throws {
        var replies = Replies()
        let next = try rule(.next)
        _ = prepare(&replies, "1", next, waiter: "a", after: 5)
        _ = prepare(&replies, "2", next, waiter: "b", after: 5)
        _ = prepare(&replies, "3", next, waiter: "c", after: 9)
        #expect(replies.nextDeadline == start.advanced(by: .seconds(5)))
        let ended = replies.deadlinePassed(now: start.advanced(by: .seconds(5)))
        #expect(ended.waiters == ["a", "b"])
        #expect(ended.thenSend?.bytes == Array("3".utf8))
        #expect(replies.nextDeadline == start.advanced(by: .seconds(9)))
    }

    @Test func aCancelledSendLetsTheNextOneGo() throws {
        var replies = Replies()
        let next = try rule(.next)
        let first = prepare(&replies, "1", next, waiter: "a")
        let second = prepare(&replies, "2", next, waiter: "b")
        _ = prepare(&replies, "3", next, waiter: "c")
        let queued = replies.cancelled(try #require(second.token))
        #expect(queued.waiters == ["b"])
        #expect(queued.thenSend == nil)
        let onWire = replies.cancelled(try #require(first.token))
        #expect(onWire.waiters == ["a"])
        #expect(onWire.thenSend?.bytes == Array("3".utf8))
        #expect(replies.cancelled(try #require(first.token)).waiters.isEmpty)
    }

    // MARK: ends

    @Test func aLateReplyIsNobodys() throws {
        var replies = Replies()
        _ = prepare(&replies, "{}", try rule(.auto), after: 5)
        #expect(replies.deadlinePassed(now: start.advanced(by: .seconds(4))).waiters.isEmpty)
        #expect(replies.deadlinePassed(now: start.advanced(by: .seconds(5))).waiters == ["w"])
        #expect(replies.received(Array(#"{"id":"\#(uuid(1))"}"#.utf8), isText: true) == nil)
    }

    @Test func anEditDoesNotStrandWhatIsInFlight() throws {
        var replies = Replies()
        _ = prepare(&replies, "{}", try rule(.jsonField), waiter: "field", id: 1)
        _ = prepare(&replies, "{}", try rule(.jsonField, field: "ref"), waiter: "ref", id: 2)
        _ = prepare(&replies, "x", try rule(.envelope), waiter: "envelope", id: 3)
        _ = prepare(&replies, "x", try rule(.next), waiter: "next", id: 4)
        #expect(
            replies.received(Array(#"{"id":"\#(uuid(3))","payload":"y"}"#.utf8), isText: true)?
                .waiter
                == "envelope")
        #expect(
            replies.received(Array(#"{"ref":"\#(uuid(2))"}"#.utf8), isText: true)?.waiter == "ref")
        #expect(
            replies.received(Array(#"{"id":"\#(uuid(1))"}"#.utf8), isText: true)?.waiter == "field")
        #expect(replies.received([0], isText: false)?.waiter == "next")
    }

    @Test func theEndOfTheSocketEndsEverySend() throws {
        var replies = Replies()
        _ = prepare(&replies, "{}", try rule(.auto), waiter: "a", id: 1)
        _ = prepare(&replies, "x", try rule(.next), waiter: "b", id: 2)
        _ = prepare(&replies, "y", try rule(.next), waiter: "c", id: 3)
        #expect(replies.failAll() == ["a", "b", "c"])
        #expect(replies.failAll().isEmpty)
        #expect(replies.nextDeadline == nil)
        #expect(replies.received([1], isText: false) == nil)
        #expect(prepare(&replies, "z", try rule(.next)).text == "z")
    }
}

extension PendingReplies.Prepared {
    fileprivate var text: String? {
        guard case .send(let frame, _) = self else { return nil }
        return String(decoding: frame.bytes, as: UTF8.self)
    }

    fileprivate var token: PendingReplies.Token? {
        switch self {
        case .send(_, let token), .queued(let token): token
        case .refused: nil
        }
    }

    fileprivate var isQueued: Bool {
        if case .queued = self { true } else { false }
    }
}

extension PendingReplies.Reply {
    fileprivate var text: String { String(decoding: response, as: UTF8.self) }
}

import ManagerCore
import Spec
import TestKit
import Testing

/// Random sends against a peer that echoes, in random order, or keeps silent.
@Suite struct PendingRepliesPropertyTests {
    private struct OnWire {
        var frame: PendingReplies<Int>.Frame
        var isOrdered: Bool
    }

    @Test(arguments: UInt64(1)...20)
    func everyWaiterEndsOnceAndWithItsOwnReply(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let path = try JSONRoute("id")
        let modes = ConnectionSpec.CorrelationMode.allCases
        var replies = PendingReplies<Int>()
        var wire: [OnWire] = []
        var tokens: [Int: PendingReplies<Int>.Token] = [:]
        var open: Set<Int> = []
        var now = Moment(.zero)
        var taken = 0
        for waiter in 0..<1500 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                let mode = modes[Int.random(in: 0..<5, using: &generator)]
                let isText = mode != .prefix
                let message = #"{"id":\#(waiter % 7),"w":\#(waiter)}"#
                let prepared = replies.prepare(
                    Array(message.utf8), isText: isText,
                    rule: CorrelationRule(mode: mode, field: path, maxPending: 30),
                    waiter: waiter,
                    deadline: now.advanced(
                        by: .seconds(Int.random(in: 1...20, using: &generator))),
                    freshID: .random(using: &generator))
                switch prepared {
                case .send(let frame, let token):
                    wire.append(OnWire(frame: frame, isOrdered: mode == .next))
                    tokens[waiter] = token
                    open.insert(waiter)
                case .queued(let token):
                    #expect(mode == .next, "seed \(seed)")
                    tokens[waiter] = token
                    open.insert(waiter)
                case .refused(let refusal):
                    #expect(refusal == .tooManyPending(limit: 30), "seed \(seed)")
                    #expect(replies.count == 30, "seed \(seed)")
                }
            case 5..<8:
                guard let index = wire.indices.randomElement(using: &generator) else { continue }
                let echoed = wire.remove(at: index)
                guard let reply = replies.received(echoed.frame.bytes, isText: echoed.frame.isText)
                else { continue }
                #expect(open.remove(reply.waiter) != nil, "seed \(seed): answered twice")
                // The next matching message is the reply in mode `next`, whosever it is.
                if !echoed.isOrdered {
                    let text = String(decoding: reply.response, as: UTF8.self)
                    let own = #"{"id":\#(reply.waiter % 7),"w":\#(reply.waiter)}"#
                    let isOwn = text == own
                    let isNext = reply.response == echoed.frame.bytes
                    #expect(isOwn || isNext, "seed \(seed): \(text) for \(own)")
                    if isOwn { taken += 1 }
                }
                if let frame = reply.thenSend { wire.append(OnWire(frame: frame, isOrdered: true)) }
            case 8:
                guard let waiter = open.min(), let token = tokens[waiter] else { continue }
                let ended = replies.cancelled(token)
                #expect(ended.waiters == [waiter], "seed \(seed)")
                open.remove(waiter)
                if let frame = ended.thenSend { wire.append(OnWire(frame: frame, isOrdered: true)) }
            default:
                now = now.advanced(by: .seconds(1))
                let ended = replies.deadlinePassed(now: now)
                for waiter in ended.waiters {
                    #expect(open.remove(waiter) != nil, "seed \(seed): ended twice")
                }
                if let frame = ended.thenSend { wire.append(OnWire(frame: frame, isOrdered: true)) }
                #expect(replies.nextDeadline.map { $0 > now } ?? true, "seed \(seed)")
            }
            #expect(replies.count == open.count, "seed \(seed)")
            #expect((replies.nextDeadline == nil) == open.isEmpty, "seed \(seed)")
        }
        #expect(Set(replies.failAll()) == open, "seed \(seed)")
        #expect(taken > 20, "seed \(seed)")
    }
}

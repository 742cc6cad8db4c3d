internal import DequeModule
internal import HeapModule

/// The correlated sends of one socket: which messages wait for a reply, and which reply is whose.
///
/// The shell asks ``prepare(_:isText:rule:waiter:deadline:freshID:)`` for the frame to send, shows
/// every received message to ``received(_:isText:)``, and calls ``deadlinePassed(now:)`` at
/// ``nextDeadline``. `Waiter` is opaque: a continuation, a promise, a number in tests. Every waiter
/// that was taken in comes out exactly once.
///
/// A message that no send waits for, and so also a reply that comes after its deadline, is not ours to
/// hide: it is published like any other, unchanged.
///
/// Mode `next` has one send on the wire and the others in order behind it, since the next
/// matching message is the reply whatever it says. A late reply to a send that was given up is
/// taken for the reply of the one after it; a protocol without ids cannot tell them apart.
///
/// Cost: with nothing pending a received message costs one comparison; else one scan of it.
package struct PendingReplies<Waiter: Sendable>: Sendable {
    package typealias Instant = Moment

    /// Names one send until it has ended.
    package struct Token: Sendable, Hashable {
        let number: UInt64
    }

    /// One message for the wire.
    package struct Frame: Sendable, Hashable {
        package var bytes: [UInt8]
        package var isText: Bool

        package init(bytes: [UInt8], isText: Bool) {
            self.bytes = bytes
            self.isText = isText
        }
    }

    package enum Prepared: Sendable, Hashable {
        /// Send this now. If that fails, call ``cancelled(_:)``.
        case send(Frame, Token)
        /// Mode `next`: goes out later, by a `thenSend`.
        case queued(Token)
        /// Nothing was taken in; the waiter is still the caller's.
        case refused(CorrelationRefusal)
    }

    /// A reply, and whose it is.
    package struct Reply: Sendable {
        package var waiter: Waiter
        /// The message without our mark.
        package var response: [UInt8]
        package var isText: Bool
        /// Mode `next`: what is to be sent now.
        package var thenSend: Frame?
    }

    /// Sends that ended without a reply.
    package struct Ended: Sendable {
        package var waiters: [Waiter] = []
        /// Mode `next`: what is to be sent now.
        package var thenSend: Frame?
    }

    enum Wait: Sendable {
        /// On the wire, marked.
        case marked(CorrelationMark, CorrelationID)
        /// Mode `next`, on the wire.
        case next(CorrelationRule.Matcher?)
        /// Mode `next`, not sent yet.
        case queued(Frame, CorrelationRule.Matcher?)
    }

    struct Pending: Sendable {
        var waiter: Waiter
        var deadline: Instant
        var wait: Wait
    }

    struct LookupKey: Sendable, Hashable {
        var place: CorrelationPlace
        var id: CorrelationID
    }

    struct Due: Sendable, Comparable {
        var deadline: Instant
        var number: UInt64

        static func < (left: Due, right: Due) -> Bool {
            (left.deadline, left.number) < (right.deadline, right.number)
        }
    }

    var pending: [UInt64: Pending] = [:]
    var lookup: [LookupKey: UInt64] = [:]
    /// How many sends wait for a mark in each place; none of them is zero.
    var places: [CorrelationPlace: Int] = [:]
    /// Holds what has ended too, until it comes up or ``compact()``.
    var deadlines = Heap<Due>()
    /// Mode `next`: the one on the wire, and those behind it (some may have ended).
    var nextOnWire: UInt64?
    var nextQueue = Deque<UInt64>()
    private var lastNumber: UInt64 = 0
    private var lastInteger: Int64 = 0

    package init() {}

    package var count: Int { pending.count }

    /// Mode `next`: the send on the wire, so that the failure to write a `thenSend` can be told to
    /// its waiter by ``cancelled(_:)``.
    package var nextToken: Token? { nextOnWire.map(Token.init) }

    /// When ``deadlinePassed(now:)`` is due; `nil` if nothing is pending.
    package var nextDeadline: Instant? { deadlines.min?.deadline }
}

// MARK: Sending

extension PendingReplies {
    /// Takes in a message whose reply is wanted.
    ///
    /// - Parameters:
    ///   - deadline: When the caller gives up, time in the queue of mode `next` included.
    ///   - freshID: Drawn at random for this call.
    package mutating func prepare(
        _ message: [UInt8], isText: Bool, rule: CorrelationRule, waiter: Waiter,
        deadline: Instant, freshID: UUIDBytes
    ) -> Prepared {
        guard pending.count < rule.maxPending else {
            return .refused(.tooManyPending(limit: rule.maxPending))
        }
        let marked: MarkedMessage?
        do {
            marked = try CorrelationMarking.mark(
                message, isText: isText, rule: rule, uuid: freshID,
                integer: freshInteger(freshID, field: rule.field))
        } catch {
            return .refused(error)
        }
        guard let marked else {
            let frame = Frame(bytes: message, isText: isText)
            let token = add(waiter, deadline, .queued(frame, rule.matches))
            nextQueue.append(token.number)
            return sendNext().map { .send($0, token) } ?? .queued(token)
        }
        let token = add(waiter, deadline, .marked(marked.mark, marked.id))
        lookup[LookupKey(place: marked.mark.place, id: marked.id)] = token.number
        places[marked.mark.place, default: 0] += 1
        return .send(Frame(bytes: marked.bytes, isText: marked.isText), token)
    }

    private mutating func add(_ waiter: Waiter, _ deadline: Instant, _ wait: Wait) -> Token {
        lastNumber += 1
        pending[lastNumber] = Pending(waiter: waiter, deadline: deadline, wait: wait)
        deadlines.insert(Due(deadline: deadline, number: lastNumber))
        return Token(number: lastNumber)
    }

    /// The next integer id: positive, 31 bits (some servers take no more), begun at random so that
    /// it hardly meets ids of messages that are sent without correlation, and not in use.
    private mutating func freshInteger(_ freshID: UUIDBytes, field: JSONRoute) -> Int64 {
        if lastInteger == 0 { lastInteger = Int64(freshID.low & 0x3FFF_FFFF) }
        repeat {
            lastInteger = lastInteger < Int64(Int32.max) ? lastInteger + 1 : 1
        } while lookup[LookupKey(place: .field(field), id: .integer(lastInteger))] != nil
        return lastInteger
    }

    /// Puts the first queued send of mode `next` on the wire, if none is there.
    mutating func sendNext() -> Frame? {
        guard nextOnWire == nil else { return nil }
        while let number = nextQueue.popFirst() {
            // One that has ended since was left in the queue.
            guard case .queued(let frame, let matches) = pending[number]?.wait else { continue }
            pending[number]?.wait = .next(matches)
            nextOnWire = number
            return frame
        }
        return nil
    }
}

internal import DequeModule
internal import HeapModule

// How a send ends: by its reply, by its deadline, by its caller, or with its socket.

extension PendingReplies {
    /// A message was received.
    ///
    /// - Returns: Whose reply it is; `nil` if it is nobody's, and is to be published.
    package mutating func received(_ message: [UInt8], isText: Bool) -> Reply? {
        guard !pending.isEmpty else { return nil }
        if let (number, mark) = markedSend(for: message, isText: isText),
            let waiter = remove(number)
        {
            return Reply(
                waiter: waiter, response: mark.response(from: message), isText: isText,
                thenSend: nil)
        }
        if let number = nextOnWire, case .next(let matches) = pending[number]?.wait,
            matches?(message, isText) ?? true, let waiter = remove(number)
        {
            return Reply(waiter: waiter, response: message, isText: isText, thenSend: sendNext())
        }
        return nil
    }

    /// The time is `now`: ends every send whose deadline has come.
    package mutating func deadlinePassed(now: Instant) -> Ended {
        var ended = Ended()
        while let due = deadlines.min, due.deadline <= now {
            if let waiter = remove(due.number) { ended.waiters.append(waiter) }
        }
        ended.thenSend = sendNext()
        return ended
    }

    /// The caller went away, or the frame could not be sent. Late calls change nothing.
    package mutating func cancelled(_ token: Token) -> Ended {
        var ended = Ended()
        if let waiter = remove(token.number) { ended.waiters.append(waiter) }
        ended.thenSend = sendNext()
        return ended
    }

    /// The socket is gone: every send ends, in the order they were taken in.
    package mutating func failAll() -> [Waiter] {
        let waiters = pending.sorted { $0.key < $1.key }.map(\.value.waiter)
        pending.removeAll()
        lookup.removeAll()
        places.removeAll()
        nextQueue.removeAll()
        nextOnWire = nil
        compact()
        return waiters
    }

    /// The marked send that a message answers.
    private func markedSend(
        for message: [UInt8], isText: Bool
    ) -> (UInt64, CorrelationMark)? {
        guard !places.isEmpty else { return nil }
        let looksLikeObject = JSONText.looksLikeObject(message)
        for place in places.keys {
            let id: CorrelationID?
            switch place {
            case .prefix:
                id = isText ? nil : UUIDBytes(prefixOf: message).map { .uuid($0) }
            case .envelope:
                id = looksLikeObject ? self.id(at: CorrelationEnvelope.idPath, in: message) : nil
            case .field(let path):
                id = looksLikeObject ? self.id(at: path, in: message) : nil
            }
            if let id, let number = lookup[LookupKey(place: place, id: id)],
                case .marked(let mark, _) = pending[number]?.wait
            {
                return (number, mark)
            }
        }
        return nil
    }

    private func id(at path: JSONRoute, in message: [UInt8]) -> CorrelationID? {
        guard case .found(let location) = JSONText.locate(path, in: message) else { return nil }
        return CorrelationID(location, in: message)
    }

    /// Takes out one send and every trace of it; `nil` if it has ended before.
    private mutating func remove(_ number: UInt64) -> Waiter? {
        guard let send = pending.removeValue(forKey: number) else { return nil }
        if case .marked(let mark, let id) = send.wait {
            lookup[LookupKey(place: mark.place, id: id)] = nil
            let others = places[mark.place, default: 1] - 1
            places[mark.place] = others > 0 ? others : nil
        }
        if nextOnWire == number { nextOnWire = nil }
        compact()
        return send.waiter
    }

    /// Keeps ``nextDeadline`` true, and the heap and queue in proportion to what is pending.
    private mutating func compact() {
        while let due = deadlines.min, pending[due.number] == nil { deadlines.removeMin() }
        let limit = 2 * pending.count + 64
        if deadlines.count > limit {
            deadlines = .init(pending.map { Due(deadline: $0.value.deadline, number: $0.key) })
        }
        if nextQueue.count > limit { nextQueue.removeAll { pending[$0] == nil } }
    }
}

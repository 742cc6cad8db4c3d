package import ManagerAPI
package import ManagerCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Why something a peer sent is no message of the protocol.
package struct PeerMessageProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    static func missing(_ field: String) -> PeerMessageProblem {
        PeerMessageProblem(description: "\(field) is missing or not known")
    }
}

// MARK: To the wire

extension Wsm_V1_PeerEnvelope {
    package init(_ message: PeerMessage) {
        self.init()
        switch message {
        case .ask(let sent): ask = Wsm_V1_PeerAsk(sent)
        case .answer(let shard, let title, let heir, let isYes):
            answer.shard = UInt32(clamping: shard)
            answer.title = Wsm_V1_PeerTitle(title)
            answer.by = Wsm_V1_PeerIdentity(heir)
            answer.isYes = isYes
        case .shadowReady(let shard, let title, let heir):
            shadowReady.shard = UInt32(clamping: shard)
            shadowReady.title = Wsm_V1_PeerTitle(title)
            shadowReady.by = Wsm_V1_PeerIdentity(heir)
        case .digests(let shard, let title, let isFinal, let connections):
            digests.shard = UInt32(clamping: shard)
            digests.title = Wsm_V1_PeerTitle(title)
            digests.isFinal = isFinal
            digests.connections = connections.map(Wsm_V1_PeerConnectionDigests.init)
        case .acknowledged(let shard, let title, let heir):
            acknowledged.shard = UInt32(clamping: shard)
            acknowledged.title = Wsm_V1_PeerTitle(title)
            acknowledged.by = Wsm_V1_PeerIdentity(heir)
        case .handOverEnded(let shard, let title, let isDone):
            handOverEnded.shard = UInt32(clamping: shard)
            handOverEnded.title = Wsm_V1_PeerTitle(title)
            handOverEnded.isDone = isDone
        case .call(let token, let shard, let title, let change, let replyTo):
            call.token = Wsm_V1_PeerToken(token)
            call.shard = UInt32(clamping: shard)
            call.title = Wsm_V1_PeerTitle(title)
            call.change = Wsm_V1_PeerChange(change)
            call.replyTo = replyTo
        case .result(let token, let outcome):
            result.token = Wsm_V1_PeerToken(token)
            result.result = Wsm_V1_PeerCallResult(outcome)
        case .notOwner(let token, let known):
            notOwner.token = Wsm_V1_PeerToken(token)
            if let known { notOwner.known = Wsm_V1_PeerTitle(known) }
        }
    }
}

extension Wsm_V1_PeerIdentity {
    init(_ identity: Identity) {
        self.init()
        slot = UInt32(clamping: identity.slot)
        slotEpoch = identity.slotEpoch
        incarnationHigh = identity.incarnation.high
        incarnationLow = identity.incarnation.low
    }
}

extension Wsm_V1_PeerTitle {
    init(_ title: Title) {
        self.init()
        identity = Wsm_V1_PeerIdentity(title.identity)
        shardEpoch = title.shardEpoch
    }
}

extension Wsm_V1_PeerAsk {
    init(_ ask: HandOverAsk) {
        self.init()
        shard = UInt32(clamping: ask.shard)
        title = Wsm_V1_PeerTitle(ask.title)
        address = ask.address
        isDrain = ask.isDrain
        records = ask.records.map { record in
            var sent = Wsm_V1_PeerRecord()
            sent.name = record.name
            sent.uid = record.uid
            sent.revision = record.revision
            sent.content = Data(record.content)
            return sent
        }
    }
}

extension Wsm_V1_PeerConnectionDigests {
    init(_ digests: ConnectionDigests) {
        self.init()
        name = digests.name
        uid = digests.uid
        lastSequence = digests.lastSequence
        frames = digests.frames
    }
}

extension Wsm_V1_PeerToken {
    init(_ token: CallToken) {
        self.init()
        origin = token.origin
        number = token.number
    }
}

extension Wsm_V1_PeerChange {
    init(_ change: RecordChange) {
        self.init()
        if let drawn = change.uid { uid = drawn }
        name = change.name
        revision = change.revision
        content = Data(change.content)
        kind =
            switch change.kind {
            case .create: .create
            case .change: .change
            case .delete: .delete
            }
        if let made = change.base {
            base.uid = made.uid
            base.revision = made.revision
        }
    }
}

extension Wsm_V1_PeerCallResult {
    init(_ result: CallResult) {
        self =
            switch result {
            case .done: .done
            case .refused: .refused
            case .unavailable: .unavailable
            }
    }
}

// MARK: From the wire

extension PeerMessage {
    /// - Throws: ``PeerMessageProblem`` for what is no message: of another version, or hostile.
    package init(_ envelope: Wsm_V1_PeerEnvelope) throws(PeerMessageProblem) {
        switch envelope.message {
        case .ask(let sent): self = .ask(try HandOverAsk(sent))
        case .answer(let sent):
            self = .answer(
                shard: try Self.shard(sent.shard), title: try Title(sent.title),
                by: try Identity(sent.by), isYes: sent.isYes)
        case .shadowReady(let sent):
            self = .shadowReady(
                shard: try Self.shard(sent.shard), title: try Title(sent.title),
                by: try Identity(sent.by))
        case .digests(let sent):
            self = .digests(
                shard: try Self.shard(sent.shard), title: try Title(sent.title),
                isFinal: sent.isFinal, try sent.connections.map(ConnectionDigests.init))
        case .acknowledged(let sent):
            self = .acknowledged(
                shard: try Self.shard(sent.shard), title: try Title(sent.title),
                by: try Identity(sent.by))
        case .handOverEnded(let sent):
            self = .handOverEnded(
                shard: try Self.shard(sent.shard), title: try Title(sent.title),
                isDone: sent.isDone)
        case .call(let sent):
            self = .call(
                try CallToken(sent.token), shard: try Self.shard(sent.shard),
                title: try Title(sent.title), try RecordChange(sent.change),
                replyTo: try sent.replyTo.checked("reply_to"))
        case .result(let sent):
            self = .result(try CallToken(sent.token), try CallResult(sent.result))
        case .notOwner(let sent):
            self = .notOwner(
                try CallToken(sent.token), known: sent.hasKnown ? try Title(sent.known) : nil)
        case nil: throw .missing("message")
        }
    }

    /// The machine knows how many shards there are and ignores a higher number.
    private static func shard(_ number: UInt32) throws(PeerMessageProblem) -> Int {
        guard number <= PeerLimits.highestShard else {
            throw PeerMessageProblem(description: "shard is \(number)")
        }
        return Int(number)
    }
}

extension Identity {
    init(_ sent: Wsm_V1_PeerIdentity) throws(PeerMessageProblem) {
        guard sent.slot <= PeerLimits.highestSlot else {
            throw PeerMessageProblem(description: "slot is \(sent.slot)")
        }
        self.init(
            slot: Int(sent.slot), slotEpoch: sent.slotEpoch,
            incarnation: Incarnation(high: sent.incarnationHigh, low: sent.incarnationLow))
    }
}

extension Title {
    init(_ sent: Wsm_V1_PeerTitle) throws(PeerMessageProblem) {
        guard sent.hasIdentity else { throw .missing("title") }
        self.init(identity: try Identity(sent.identity), shardEpoch: sent.shardEpoch)
    }
}

extension HandOverAsk {
    init(_ sent: Wsm_V1_PeerAsk) throws(PeerMessageProblem) {
        guard sent.shard <= PeerLimits.highestShard else {
            throw PeerMessageProblem(description: "shard is \(sent.shard)")
        }
        self.init(
            shard: Int(sent.shard), title: try Title(sent.title),
            address: try sent.address.checked("address"), isDrain: sent.isDrain,
            records: try sent.records.map { record throws(PeerMessageProblem) in
                LiveRecord(
                    name: try record.name.checked("name"), uid: record.uid,
                    revision: record.revision, content: [UInt8](record.content))
            })
    }
}

extension ConnectionDigests {
    init(_ sent: Wsm_V1_PeerConnectionDigests) throws(PeerMessageProblem) {
        guard sent.frames.count <= Self.longest else {
            throw PeerMessageProblem(
                description: "there are \(sent.frames.count) digests of one connection, above "
                    + "\(Self.longest)")
        }
        self.init(
            name: try sent.name.checked("name"), uid: sent.uid, lastSequence: sent.lastSequence,
            frames: sent.frames)
    }
}

extension CallToken {
    init(_ sent: Wsm_V1_PeerToken) throws(PeerMessageProblem) {
        self.init(origin: try sent.origin.checked("origin"), number: sent.number)
    }
}

extension RecordChange {
    init(_ sent: Wsm_V1_PeerChange) throws(PeerMessageProblem) {
        let kind: Kind
        switch sent.kind {
        case .create: kind = .create
        case .change: kind = .change
        case .delete: kind = .delete
        case .unspecified, .UNRECOGNIZED: throw .missing("kind")
        }
        self.init(
            name: try sent.name.checked("name"), kind: kind, revision: sent.revision,
            uid: sent.hasUid ? sent.uid : nil,
            base: sent.hasBase ? Base(uid: sent.base.uid, revision: sent.base.revision) : nil,
            content: [UInt8](sent.content))
    }
}

extension CallResult {
    init(_ sent: Wsm_V1_PeerCallResult) throws(PeerMessageProblem) {
        switch sent {
        case .done: self = .done
        case .refused: self = .refused
        case .unavailable: self = .unavailable
        case .unspecified, .UNRECOGNIZED: throw .missing("result")
        }
    }
}

extension String {
    /// A name or an address as a peer may say it.
    fileprivate func checked(_ field: String) throws(PeerMessageProblem) -> String {
        guard (1...PeerLimits.longestName).contains(utf8.count) else {
            throw PeerMessageProblem(
                description: "\(field) has \(utf8.count) bytes: 1 to \(PeerLimits.longestName)")
        }
        return self
    }
}

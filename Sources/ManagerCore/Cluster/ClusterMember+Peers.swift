// What peers say, the side of the heir, and forwarded calls.
extension ClusterMember {
    mutating func received(_ message: PeerMessage) {
        switch message {
        case .ask(let ask): asked(ask)
        case .answer(let shard, let title, let heir, let isYes):
            heirAnswered(shard, title, by: heir, isYes: isYes)
        case .shadowReady(let shard, let title, let heir):
            heirIsReady(shard, title, by: heir)
        case .digests(let shard, let title, let isFinal, let digests):
            digestsReceived(shard, title, isFinal: isFinal, digests)
        case .acknowledged(let shard, let title, let heir):
            acknowledged(shard, title, by: heir)
        case .handOverEnded(let shard, let title, let isDone):
            handOverEnded(shard, title, isDone: isDone)
        case .call(let token, let shard, let title, let change, let replyTo):
            callForwarded(token, shard, title, change, replyTo: replyTo)
        case .result(let token, let result):
            if forwards.removeValue(forKey: token) != nil { act(.answer(token, result)) }
        case .notOwner(let token, let known): notOwner(token, known)
        }
    }

    // MARK: The heir

    private mutating func asked(_ ask: HandOverAsk) {
        guard seats.indices.contains(ask.shard), let identity else { return }
        let shard = ask.shard
        if let owned = seats[shard].owned, ask.title.shardEpoch > owned.title.shardEpoch,
            rules.titlesAreCompared
        {
            // Whoever asks holds a later title: what I wait for under mine is decided.
            drop(shard, .foreignTitle)
        }
        let isFree = seats[shard].owned.map { $0.title.shardEpoch < ask.title.shardEpoch } ?? true
        let isYes = mayClaim && isFree && (ask.isDrain || hasRoom())
        act(
            .send(
                .answer(shard: shard, title: ask.title, by: identity, isYes: isYes),
                to: ask.address))
        guard isYes, incoming[shard]?.from != ask.title else { return }
        if let former = incoming[shard] { act(.dropShadow(shard: shard, from: former.from)) }
        incoming[shard] = Incoming(
            from: ask.title, address: ask.address, keepUntil: now + timing.suspicion * 2)
        act(.shadow(shard: shard, from: ask.title, ask.records))
    }

    mutating func shadowBecameReady(_ shard: Int, _ from: Title) {
        guard let shadow = incoming[shard], shadow.from == from, let identity else { return }
        incoming[shard]?.isReady = true
        act(
            .send(
                .shadowReady(shard: shard, title: from, by: identity), to: shadow.address))
    }

    private mutating func digestsReceived(
        _ shard: Int, _ title: Title, isFinal: Bool, _ digests: [ConnectionDigests]
    ) {
        guard let shadow = incoming[shard], shadow.from == title, let identity else { return }
        let keepUntil = now + timing.suspicion * 2
        incoming[shard]?.keepUntil = keepUntil
        let news = digests.filter { $0.lastSequence >= shadow.heard[$0.uid] ?? 0 }
        for digest in news { incoming[shard]?.heard[digest.uid] = digest.lastSequence }
        act(.keepDigests(shard: shard, from: title, news))
        // The owner still waits for the shadow: it may not have heard.
        if !isFinal && shadow.isReady { shadowBecameReady(shard, title) }
        guard isFinal, lease.isValid(now: now), !isDraining else { return }
        incoming[shard]?.nextPoll = now
        act(
            .send(
                .acknowledged(shard: shard, title: title, by: identity), to: shadow.address))
    }

    private mutating func handOverEnded(_ shard: Int, _ title: Title, isDone: Bool) {
        guard incoming[shard]?.from == title else { return }
        if isDone {
            incoming[shard]?.nextPoll = now
        } else {
            incoming[shard] = nil
            act(.dropShadow(shard: shard, from: title))
        }
    }

    /// A new title has been seen: if it is not mine, the shadow is for nothing.
    mutating func endShadow(_ shard: Int) {
        guard let shadow = incoming[shard], let header = seats[shard].header,
            header.shardEpoch > shadow.from.shardEpoch, header.owner != identity
        else { return }
        incoming[shard] = nil
        act(.dropShadow(shard: shard, from: shadow.from))
    }

    mutating func watchIncoming() {
        for (shard, shadow) in incoming.sorted(by: { $0.key < $1.key }) {
            if now >= shadow.keepUntil {
                incoming[shard] = nil
                act(.dropShadow(shard: shard, from: shadow.from))
            } else if let next = shadow.nextPoll, now >= next {
                let later = now + timing.slack / 2
                incoming[shard]?.nextPoll = later
                _ = book.read([.header(shard)], purpose: .scan(began: now, isWhole: false))
            }
        }
    }

    // MARK: Calls

    package func shard(of name: String) -> Int {
        Shards.shard(of: ObjectKey(indexEntry: name).name, among: max(1, seats.count))
    }

    /// The title under which calls for this shard are answered here; `nil` while its records are
    /// being loaded, while it is being given away, and while nothing may be done.
    package func serving(_ shard: Int, now: Moment) -> Title? {
        guard seats.indices.contains(shard), let owned = seats[shard].owned,
            owned.records.isReady,
            owned.outgoing.map({ $0.step == .asking || $0.step == .shadowing }) ?? true,
            mayAct(shard: shard, title: owned.title, now: now)
        else { return nil }
        return owned.title
    }

    mutating func called(_ token: CallToken, _ change: RecordChange) {
        guard !seats.isEmpty else { return act(.answer(token, .unavailable)) }
        let shard = shard(of: change.name)
        if serving(shard, now: now) != nil { return serve(token, shard, change) }
        guard seats[shard].owned == nil, let title = seats[shard].header?.title,
            let owner = roster.holder(title.identity), title.identity != identity
        else { return act(.answer(token, .unavailable)) }
        forwards[token] = Forward(
            change: change, shard: shard, title: title, deadline: now + timing.suspicion)
        forward(token, title, to: owner)
    }

    private mutating func forward(_ token: CallToken, _ title: Title, to owner: RosterSlot) {
        guard let forward = forwards[token] else { return }
        act(
            .send(
                .call(
                    token, shard: forward.shard, title: title, forward.change,
                    replyTo: configuration.address), to: owner.address))
    }

    private mutating func serve(_ token: CallToken, _ shard: Int, _ change: RecordChange) {
        guard let title = seats[shard].owned?.title else { return }
        let uid = change.uid ?? random.next()
        withRecords(shard, title) { records, _ in records.ask(change, token: token, uid: uid) }
        drive(shard)
    }

    /// Acts only under the title that the sender expects, and never forwards again.
    private mutating func callForwarded(
        _ token: CallToken, _ shard: Int, _ title: Title, _ change: RecordChange,
        replyTo address: String
    ) {
        guard seats.indices.contains(shard) else { return }
        if let owned = seats[shard].owned, owned.title == title {
            guard serving(shard, now: now) == title else {
                return act(.send(.result(token, .unavailable), to: address))
            }
            replyTo[token] = address
            return serve(token, shard, change)
        }
        let known = seats[shard].owned?.title ?? seats[shard].header?.title
        act(.send(.notOwner(token, known: known), to: address))
    }

    /// The header is read once, then the call tried once more.
    private mutating func notOwner(_ token: CallToken, _ known: Title?) {
        guard var forward = forwards[token], !forward.isReadingHeader else { return }
        guard forward.tries == 1 else {
            forwards[token] = nil
            return act(.answer(token, .unavailable))
        }
        forward.isReadingHeader = true
        forwards[token] = forward
        _ = book.read([.header(forward.shard)], purpose: .scan(began: now, isWhole: false))
    }

    mutating func resolveForwards(_ shard: Int, _ item: ReadItem) {
        let waiting = forwards.filter { $0.value.shard == shard && $0.value.isReadingHeader }
        for (token, forward) in waiting.sorted(by: { $0.key.number < $1.key.number }) {
            guard let title = Self.header(in: item)?.title, title != forward.title,
                title.identity != identity, let owner = roster.holder(title.identity)
            else {
                forwards[token] = nil
                act(.answer(token, .unavailable))
                continue
            }
            forwards[token]?.isReadingHeader = false
            forwards[token]?.tries = 2
            forwards[token]?.title = title
            self.forward(token, title, to: owner)
        }
    }

    mutating func watchForwards() {
        guard !forwards.isEmpty else { return }
        let late = forwards.filter { now >= $0.value.deadline }.keys
        for token in late.sorted(by: { $0.number < $1.number }) {
            forwards[token] = nil
            act(.answer(token, .unavailable))
        }
    }

    /// The change was applied; it is acknowledged only under a valid lease.
    mutating func answered(_ shard: Int, _ title: Title, _ token: CallToken, _ result: CallResult) {
        let isHeld = lease.isValid(now: now) && seats[shard].owned?.title == title
        answer(token, isHeld ? result : .unavailable)
    }

    mutating func answer(_ token: CallToken, _ result: CallResult) {
        if let address = replyTo.removeValue(forKey: token) {
            act(.send(.result(token, result), to: address))
        } else {
            act(.answer(token, result))
        }
    }
}

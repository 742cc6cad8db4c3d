// Headers: polling, claiming, adopting, dropping, and the placement behind it.
extension ClusterMember {
    // MARK: Polls

    mutating func pollHeaders() {
        if now >= nextOwnPoll {
            nextOwnPoll = now + timing.poll
            let keys = ownedKeys
            if !keys.isEmpty {
                _ = book.read(keys, purpose: .ownHeaders(began: now, confirms: nil))
            }
        }
        if now >= nextScan {
            nextScan = now + (isUnrestful ? timing.poll : timing.scan)
            let keys = seats.indices.filter { seats[$0].owned == nil }.map { ClusterKey.header($0) }
            guard keys.isEmpty else {
                _ = book.read(keys, purpose: .scan(began: now, isWhole: true))
                return
            }
            isUnrestful = false
            balance()
        }
    }

    mutating func scanned(
        _ items: [(ClusterKey, ReadItem)], began: Moment, isWhole: Bool
    ) {
        for (key, item) in items {
            guard case .header(let shard) = key, item != .failed else { continue }
            resolveForwards(shard, item)
            note(shard, item, began: began)
            guard seats[shard].owned == nil, seats[shard].writer.isQuiet else { continue }
            seats[shard].writer.observe(item)
            evaluate(shard)
        }
        isUnrestful = seats.contains { !isServed($0) }
        if isWhole && !items.isEmpty { balance() }
    }

    private func isServed(_ seat: Seat) -> Bool {
        if seat.owned != nil { return true }
        guard let owner = seat.header?.owner else { return false }
        return roster.verdict(on: owner, rules: rules) == .alive
    }

    mutating func ownHeadersRead(
        _ items: [(ClusterKey, ReadItem)], began: Moment, confirms: Identity?
    ) {
        var unread = Set(
            seats.indices.filter { seats[$0].owned.map { $0.takenAt < began } ?? false })
        for (key, item) in items {
            guard case .header(let shard) = key, item != .failed else { continue }
            unread.remove(shard)
            note(shard, item, began: began)
            guard let owned = seats[shard].owned, owned.takenAt < began else { continue }
            let header = Self.header(in: item)
            if !isMine(header, owned.title) { lost(shard, to: item) }
        }
        if let confirms, confirms == identity, unread.isEmpty, lease.isConfirming { confirmed() }
    }

    static func header(in item: ReadItem) -> ShardHeader? {
        if case .found(let stored) = item, case .header(let header) = stored.value {
            return header
        }
        return nil
    }

    /// Titles are compared as a whole: the same owner under another epoch is another title.
    func isMine(_ header: ShardHeader?, _ title: Title) -> Bool {
        rules.titlesAreCompared ? header?.title == title : header?.owner == title.identity
    }

    /// A read shows that the title is not held any more.
    private mutating func lost(_ shard: Int, to item: ReadItem) {
        let heir = seats[shard].owned?.outgoing?.heir?.identity
        let isHandedOver = heir != nil && Self.header(in: item)?.owner == heir
        drop(shard, isHandedOver ? .handedOver : .foreignTitle)
        seats[shard].writer.observe(item)
        evaluate(shard)
    }

    /// Remembers the highest epoch, and notices a store that went back.
    private mutating func note(_ shard: Int, _ item: ReadItem, began: Moment) {
        let epoch = Self.header(in: item)?.shardEpoch ?? 0
        if epoch > seats[shard].highest {
            seats[shard].highest = epoch
            seats[shard].highestSeenAt = now
        } else if epoch < seats[shard].highest, began > seats[shard].highestSeenAt {
            seats[shard].highestSeenAt = now
            count(.storeWentBack)
        }
    }

    // MARK: Claiming and adopting

    /// Looks at a header that is not held, as just read.
    mutating func evaluate(_ shard: Int) {
        guard seats[shard].owned == nil, seats[shard].writer.isQuiet, seats[shard].writer.isRead
        else { return }
        endShadow(shard)
        guard case .member(let identity) = standing else { return }
        if let header = seats[shard].header, header.owner == identity {
            let isUnserved = header.shardEpoch > seats[shard].served
            if isUnserved || !rules.servedEpochsAreReclaimed {
                return adopt(shard, header)
            }
        }
        watchDoubt(shard)
        let isClaimable = claim(of: shard) != nil
        if !isClaimable { seats[shard].unownedSince = nil }
        if isClaimable, seats[shard].unownedSince == nil { seats[shard].unownedSince = now }
        claimIfDue(shard)
    }

    var mayClaim: Bool {
        guard case .member = standing else { return false }
        return lease.isValid(now: now) && !isDraining && !isCordoned
    }

    mutating func claimIfDue(_ shard: Int) {
        guard mayClaim else {
            // A claim that is given up and lands later is adopted when it is seen.
            if seats[shard].writer.isIdle, seats[shard].writer.isDirty {
                seats[shard].writer.abandon()
            }
            return
        }
        guard let since = seats[shard].unownedSince, seats[shard].writer.isReady(now: now),
            let header = claim(of: shard)
        else { return }
        // An absent header may mean an emptied store: first see that the cluster is still there.
        if header.origin.how == .first, clusterSeenAt <= since {
            nextRosterPoll = min(nextRosterPoll, now)
            return
        }
        let isMyOwn = header.origin.how == .reclaim
        guard isMyOwn || now - since >= timing.rankStep * rank(of: shard) else { return }
        seats[shard].writer.write(
            .header(header), purpose: .header(shard: shard), book: &book, now: now)
    }

    /// The header that a claim would write over what is known; `nil` if the shard is owned.
    private mutating func claim(of shard: Int) -> ShardHeader? {
        guard let identity, seats[shard].writer.isRead else { return nil }
        guard let old = seats[shard].header else {
            let origin = ShardHeader.Origin(owner: nil, shardEpoch: 0, how: .first)
            return newHeader(shard, from: nil, owner: identity, isClean: false, origin)
        }
        let how: ShardHeader.How
        var isClean = false
        if old.owner == nil {
            (how, isClean) = (.release, old.isClean)
        } else if old.owner == identity {
            how = .reclaim
        } else if let owner = old.owner, isDead(owner) || isForgotten(owner, shard) {
            how = .takeover
        } else {
            return nil
        }
        let origin = ShardHeader.Origin(
            owner: old.owner ?? old.origin.owner, shardEpoch: old.shardEpoch, how: how)
        var header = newHeader(shard, from: old, owner: identity, isClean: isClean, origin)
        if !rules.restartsClaimAnew, how == .takeover, old.node == configuration.node {
            header.shardEpoch = old.shardEpoch
        }
        return header
    }

    private func isDead(_ owner: Identity) -> Bool {
        roster.verdict(on: owner, rules: rules) == .dead
    }

    /// The slot of the owner has not known it for as long as a suspicion takes.
    ///
    /// A join is in place before any claim under it, so a slot that is read later than the header
    /// and shows less than the owner proves that the store went back. The owner learns of it at its
    /// next heartbeat, and its lease ends before the suspicion does.
    private func isForgotten(_ owner: Identity, _ shard: Int) -> Bool {
        guard let doubt = seats[shard].doubt, doubt.owner == owner else { return false }
        return now - doubt.since >= timing.suspicion
            && roster.verdict(on: owner, rules: rules) == .unknown
            && roster.wasRead(owner.slot, since: doubt.since)
    }

    private mutating func watchDoubt(_ shard: Int) {
        guard let owner = seats[shard].header?.owner,
            roster.verdict(on: owner, rules: rules) == .unknown
        else {
            seats[shard].doubt = nil
            return
        }
        if seats[shard].doubt?.owner != owner { seats[shard].doubt = (owner, now) }
    }

    /// Above everything seen, and at least Unix time: no number is given out twice.
    mutating func newHeader(
        _ shard: Int, from old: ShardHeader?, owner: Identity?, isClean: Bool,
        _ origin: ShardHeader.Origin
    ) -> ShardHeader {
        ShardHeader(
            nonce: book.nonce(), owner: owner, node: configuration.node,
            shardEpoch: max((old?.shardEpoch ?? 0) + 1, seats[shard].highest + 1, epochFloor()),
            pages: old?.pages ?? 0, isClean: isClean, origin: origin)
    }

    private mutating func adopt(_ shard: Int, _ header: ShardHeader) {
        guard let title = header.title else { return }
        seats[shard].served = max(seats[shard].served, title.shardEpoch)
        if title.shardEpoch > seats[shard].highest {
            seats[shard].highest = title.shardEpoch
            seats[shard].highestSeenAt = now
        }
        seats[shard].unownedSince = nil
        let isHandedOver = header.origin.how == .handover
        seats[shard].restsUntil = isHandedOver ? now + timing.restAfterMove : .distantPast
        seats[shard].owned = Owned(
            title: title, takenAt: now,
            records: ShardRecords(
                shard: shard, title: title, needsSeal: !header.isClean,
                namesPerPage: configuration.namesPerPage, pause: configuration.pause,
                rules: rules))
        incoming[shard] = nil
        count(.adopted(shard: shard, header.origin.how))
        act(.takeUp(shard: shard, title: title, origin: header.origin))
        drive(shard)
    }

    /// The title is not held any more, or must not be.
    mutating func drop(_ shard: Int, _ cause: ClusterAction.DropCause) {
        guard var owned = seats[shard].owned else { return }
        seats[shard].owned = nil
        seats[shard].writer.abandon()
        for token in owned.records.abandon() { answer(token, .unavailable) }
        if let heir = owned.outgoing?.heir, cause == .handedOver || cause == .foreignTitle {
            let isDone = cause == .handedOver
            act(
                .send(
                    .handOverEnded(shard: shard, title: owned.title, isDone: isDone),
                    to: heir.address))
        }
        act(.drop(shard: shard, title: owned.title, cause))
        isUnrestful = true
        nextScan = min(nextScan, cause == .handedOver ? now : now + timing.poll)
    }
}

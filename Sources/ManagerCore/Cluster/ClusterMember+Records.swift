// Writing the headers that are held, and driving the records under them.
extension ClusterMember {
    // MARK: Writing headers

    mutating func headerReadBack(_ call: CallID, shard: Int, _ item: ReadItem) {
        guard
            let outcome = seats[shard].writer.readBack(
                call, item, now: now, pause: configuration.pause, rules: rules)
        else { return }
        guard seats[shard].owned != nil else { return claimEnded(shard, outcome) }
        ownHeaderWritten(shard, outcome)
        drive(shard)
    }

    private mutating func claimEnded(_ shard: Int, _ outcome: KeyWriter.Outcome) {
        switch outcome {
        case .pending, .unknown:
            return
        case .applied:
            if let how = seats[shard].header?.origin.how {
                count(.claimed(shard: shard, how))
            }
            evaluate(shard)
        case .conflict:
            // The other's value is evaluated by the next look, when its owner is in the roster.
            seats[shard].unownedSince = nil
            evaluate(shard)
        }
    }

    /// Does for one shard what is due.
    mutating func drive(_ shard: Int) {
        guard seats[shard].owned != nil else { return claimIfDue(shard) }
        driveRecords(shard)
        guard seats[shard].owned != nil else { return }
        driveHandOver(shard)
        driveHeader(shard)
    }

    /// Writes the header if it differs from what is wanted, or if it is not known what it holds.
    private mutating func driveHeader(_ shard: Int) {
        guard let owned = seats[shard].owned, lease.isValid(now: now),
            seats[shard].writer.isReady(now: now), let known = seats[shard].header,
            isMine(known, owned.title)
        else { return }
        let isCutting = owned.outgoing?.step == .cutting
        let wanted = isCutting ? cutOver(shard, owned, known) : ownHeader(owned, known)
        var same = wanted
        same.nonce = known.nonce
        guard seats[shard].writer.isDirty || same != known || owned.outgoing?.step == .bumping
        else { return }
        seats[shard].writer.write(
            .header(wanted), purpose: .header(shard: shard), book: &book, now: now)
    }

    private mutating func ownHeader(_ owned: Owned, _ known: ShardHeader) -> ShardHeader {
        var header = known
        header.nonce = book.nonce()
        header.owner = owned.title.identity
        header.shardEpoch = owned.title.shardEpoch
        header.pages = max(known.pages, owned.records.pagesWanted)
        header.isClean = known.isClean || owned.records.isReady
        return header
    }

    // MARK: Records

    mutating func withRecords(
        _ shard: Int, _ title: Title, _ body: (inout ShardRecords, inout CallBook) -> Void
    ) {
        guard seats.indices.contains(shard), seats[shard].owned?.title == title else { return }
        guard var owned = seats[shard].owned else { return }
        seats[shard].owned = nil
        body(&owned.records, &book)
        seats[shard].owned = owned
    }

    private mutating func driveRecords(_ shard: Int) {
        guard let owned = seats[shard].owned, let header = seats[shard].header else { return }
        let permission: ShardRecords.Permission
        if !lease.isValid(now: now) || owned.isFrozen {
            permission = .nothing
        } else {
            permission = owned.outgoing?.step == .draining ? .resolve : .everything
        }
        let now = now
        withRecords(shard, owned.title) { records, book in
            records.step(
                headerPages: header.pages, isHeaderClean: header.isClean,
                permission: permission, book: &book, now: now)
        }
        carryOut(shard, owned.title)
    }

    private mutating func carryOut(_ shard: Int, _ title: Title) {
        var effects: [ShardRecords.Effect] = []
        var deletions: [ClusterKey] = []
        withRecords(shard, title) { records, _ in
            effects = records.takeEffects()
            deletions = records.deletions
            records.deletions.removeAll()
        }
        for key in deletions { act(.delete(key)) }
        for effect in effects {
            switch effect {
            case .opened(let record): opened(shard, title, record)
            case .closed(let name): act(.close(shard: shard, title: title, name: name))
            case .answered(let token, let result): answered(shard, title, token, result)
            case .outranked: return drop(shard, .foreignTitle)
            }
        }
    }

    /// A shadow that takes over while the shard drains publishes what it has buffered.
    private mutating func opened(_ shard: Int, _ title: Title, _ record: LiveRecord) {
        act(.open(shard: shard, title: title, record))
        guard seats[shard].owned?.outgoing?.step == .draining else { return }
        stopReading(shard, title)
    }
}

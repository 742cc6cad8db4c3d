/// The index pages and records of one shard, under one title.
///
/// Loads them; seals them first if an earlier owner's writes could still land; then makes the
/// changes that clients ask for, one at a time for each name. Level-triggered: ``step`` looks at
/// what is there and begins what is missing. What memory holds is what was *applied*.
///
/// Sealing rewrites every page and then every record of the pages under the own epoch, and puts a
/// tombstone where a record is absent. After that no compare-and-set of an earlier owner can
/// succeed.
package struct ShardRecords: Sendable {
    package enum Effect: Sendable, Hashable {
        case opened(LiveRecord)
        case closed(String)
        case answered(CallToken, CallResult)
        /// Something here was written under a higher epoch: the title is not held any more.
        case outranked
    }

    /// What may be begun now.
    package enum Permission: Sendable, Hashable {
        case nothing
        /// Only what is needed to learn what became of writes already begun.
        case resolve
        case everything
    }

    /// Names on one page.
    package static let bulk = 100

    struct Page: Sendable {
        var writer: KeyWriter
        var names: Set<String> = []
        var adds: Set<String> = []
        var removes: Set<String> = []
        var isLoaded = false
        var isSealed = false

        var wanted: Set<String> { names.union(adds).subtracting(removes) }
    }

    struct Operation: Sendable {
        var token: CallToken
        var change: RecordChange
        var uid: UInt64
        var isBegun = false
        var isAnswered = false
    }

    struct Entry: Sendable {
        var writer: KeyWriter
        /// As applied; `nil` for a tombstone and for nothing.
        var live: OwnedRecord?
        var isLoaded = false
        var isSealed = false
        var queue: [Operation] = []

        /// As last read: a tombstone, or what is in no page, is there too.
        var stored: OwnedRecord? {
            if case .record(let record)? = writer.known?.value { record } else { nil }
        }
    }

    package let shard: Int
    package let title: Title
    package let needsSeal: Bool
    let namesPerPage: Int
    let pause: Duration
    let rules: ProtocolRules
    var pages: [Page] = []
    var entries: [String: Entry] = [:]
    var bulkCall: CallID?
    private(set) var pagesWanted = 0
    /// Nothing is left to be begun until somebody asks for a change, or a call ends.
    private(set) var isSettled = false
    var effects: [Effect] = []
    /// Only with the rule against deleting switched off.
    package var deletions: [ClusterKey] = []

    package init(
        shard: Int, title: Title, needsSeal: Bool, namesPerPage: Int, pause: Duration,
        rules: ProtocolRules
    ) {
        self.shard = shard
        self.title = title
        self.needsSeal = needsSeal && rules.takeoversSeal
        self.namesPerPage = namesPerPage
        self.pause = pause
        self.rules = rules
    }

    /// Every record of every page has been read, and sealed if it must be.
    package private(set) var isReady = false

    /// No write is under way or could still land, and no read is.
    package var isQuiet: Bool {
        bulkCall == nil && pages.allSatisfy(\.writer.isQuiet)
            && entries.values.allSatisfy(\.writer.isQuiet)
    }

    package var live: [LiveRecord] {
        entries.compactMap { name, entry in
            entry.live.map { LiveRecord(name: name, $0) }
        }.sorted { $0.name < $1.name }
    }

    /// For tests and checkers: what memory says of a name.
    package func record(_ name: String) -> OwnedRecord? { entries[name]?.live }

    /// For tests and checkers: names on loaded pages.
    package var indexedNames: Set<String> {
        pages.reduce(into: []) { $0.formUnion($1.names) }
    }

    package mutating func takeEffects() -> [Effect] {
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }

    /// A client's change. It is answered by an effect.
    package mutating func ask(_ change: RecordChange, token: CallToken, uid: UInt64) {
        isSettled = false
        let fresh = Entry(
            writer: KeyWriter(key: .record(change.name)), isLoaded: true, isSealed: true)
        entries[change.name, default: fresh].queue.append(
            Operation(token: token, change: change, uid: uid))
    }

    /// Ends all changes, since the title ends: those begun may or may not take effect.
    package mutating func abandon() -> [CallToken] {
        entries.values.flatMap(\.queue).filter { !$0.isAnswered }.map(\.token).sorted {
            ($0.origin, $0.number) < ($1.origin, $1.number)
        }
    }
}

// MARK: What to begin

extension ShardRecords {
    /// Begins what is due.
    /// - Parameters:
    ///   - headerPages: Pages that the header, as applied, speaks of.
    ///   - isHeaderClean: The header, as applied, says clean.
    package mutating func step(
        headerPages: Int, isHeaderClean: Bool, permission: Permission, book: inout CallBook,
        now: Moment
    ) {
        guard !isSettled || pages.count < headerPages else { return }
        while pages.count < headerPages {
            let key = ClusterKey.page(shard: shard, page: pages.count)
            pages.append(Page(writer: KeyWriter(key: key)))
        }
        pagesWanted = max(pagesWanted, headerPages)
        guard loadPages(&book) else { return }
        driveAllPages(permission, &book, now)
        guard pages.allSatisfy({ $0.isSealed || !needsSeal }), loadRecords(&book) else { return }
        let names = entries.keys.sorted()
        for name in names { driveEntry(name, permission, &book, now) }
        isReady = entries.values.allSatisfy { $0.isSealed || !needsSeal }
        if isHeaderClean && permission == .everything { dropNames() }
        driveAllPages(permission, &book, now)
        isSettled =
            isReady && isHeaderClean && isQuiet && pages.allSatisfy { $0.wanted == $0.names }
            && entries.values.allSatisfy(\.queue.isEmpty) && pagesWanted == headerPages
    }

    private mutating func loadPages(_ book: inout CallBook) -> Bool {
        let missing = pages.filter { !$0.isLoaded }
        guard !missing.isEmpty else { return true }
        if bulkCall == nil {
            bulkCall = book.read(
                missing.map(\.writer.key), purpose: .pages(shard: shard, title: title))
        }
        return false
    }

    private mutating func loadRecords(_ book: inout CallBook) -> Bool {
        for page in pages {
            for name in page.names where entries[name] == nil {
                entries[name] = Entry(writer: KeyWriter(key: .record(name)))
            }
        }
        let missing = entries.filter { !$0.value.isLoaded }.keys.sorted().prefix(Self.bulk)
        guard !missing.isEmpty else { return true }
        if bulkCall == nil {
            bulkCall = book.read(
                missing.map { .record($0) }, purpose: .records(shard: shard, title: title))
        }
        return false
    }

    private mutating func driveAllPages(
        _ permission: Permission, _ book: inout CallBook, _ now: Moment
    ) {
        for index in pages.indices {
            let page = pages[index]
            guard page.isLoaded, page.writer.isReady(now: now), permission != .nothing else {
                continue
            }
            let isWanted = (needsSeal && !page.isSealed) || page.wanted != page.names
            guard page.writer.isDirty || (isWanted && permission == .everything) else { continue }
            let value = IndexPage(
                nonce: book.nonce(), shardEpoch: title.shardEpoch, names: page.wanted)
            pages[index].writer.write(
                .page(value), purpose: .page(shard: shard, title: title, page: index),
                book: &book, now: now)
        }
    }

    private mutating func driveEntry(
        _ name: String, _ permission: Permission, _ book: inout CallBook, _ now: Moment
    ) {
        guard permission != .nothing, var entry = entries[name] else { return }
        let purpose = CallPurpose.record(shard: shard, title: title, name: name)
        if !entry.writer.isRead && entry.writer.isIdle {
            entry.writer.read(purpose: purpose, book: &book)
        } else if entry.writer.isReady(now: now) {
            if needsSeal && !entry.isSealed {
                if permission == .everything || entry.writer.isDirty {
                    let seal = sealing(entry, &book)
                    entry.writer.write(.record(seal), purpose: purpose, book: &book, now: now)
                }
            } else if permission == .everything || entry.writer.isDirty {
                begin(&entry, name: name, purpose: purpose, book: &book, now: now)
            }
        }
        entries[name] = entry
    }

    private func sealing(_ entry: Entry, _ book: inout CallBook) -> OwnedRecord {
        guard case .record(var record)? = entry.writer.known?.value else {
            return OwnedRecord(
                nonce: book.nonce(), shardEpoch: title.shardEpoch, isTombstone: true, uid: 0,
                revision: 0)
        }
        record.nonce = book.nonce()
        record.shardEpoch = title.shardEpoch
        return record
    }

    /// Begins, or begins again, the write of the first change in the queue.
    private mutating func begin(
        _ entry: inout Entry, name: String, purpose: CallPurpose, book: inout CallBook,
        now: Moment
    ) {
        guard let operation = entry.queue.first else { return }
        if !operation.isBegun {
            guard operation.change.fits(entry.live, stored: entry.stored) else {
                return finish(&entry, .refused)
            }
            if operation.change.kind == .create && !isIndexed(name) { return }
        }
        entry.queue[0].isBegun = true
        if !rules.acknowledgesAppliedOnly && !operation.isAnswered {
            entry.queue[0].isAnswered = true
            effects.append(.answered(operation.token, .done))
        }
        let isCreated = operation.change.kind == .create
        let record = OwnedRecord(
            nonce: book.nonce(), shardEpoch: title.shardEpoch,
            isTombstone: operation.change.kind == .delete,
            uid: isCreated
                ? operation.uid : operation.change.uid ?? entry.live?.uid ?? operation.uid,
            revision: operation.change.revision, content: operation.change.content)
        entry.writer.write(.record(record), purpose: purpose, book: &book, now: now)
    }

    private mutating func finish(_ entry: inout Entry, _ result: CallResult) {
        let operation = entry.queue.removeFirst()
        if !operation.isAnswered { effects.append(.answered(operation.token, result)) }
    }

    /// Whether the index holds the name already; if not, sees to it.
    private mutating func isIndexed(_ name: String) -> Bool {
        for index in pages.indices where pages[index].names.contains(name) {
            guard pages[index].removes.contains(name) else { return true }
            guard pages[index].writer.isQuiet else { return false }
            pages[index].removes.remove(name)
            return true
        }
        if pages.contains(where: { $0.adds.contains(name) }) { return false }
        if let room = pages.firstIndex(where: { $0.wanted.count < namesPerPage }) {
            pages[room].adds.insert(name)
        } else {
            pagesWanted = pages.count + 1
        }
        return false
    }

    /// Takes names off the index whose record is a tombstone.
    private mutating func dropNames() {
        for index in pages.indices {
            for name in pages[index].names {
                guard let entry = entries[name], entry.isLoaded, entry.live == nil,
                    entry.queue.isEmpty, entry.writer.isQuiet
                else { continue }
                pages[index].removes.insert(name)
            }
        }
        for (name, entry) in entries.sorted(by: { $0.key < $1.key })
        where entry.live == nil && entry.queue.isEmpty && entry.writer.isQuiet {
            if pages.allSatisfy({ !$0.names.contains(name) && !$0.adds.contains(name) }) {
                entries[name] = nil
            }
        }
    }
}

// MARK: What became of it

extension ShardRecords {
    package mutating func bulkRead(_ call: CallID, _ items: [(ClusterKey, ReadItem)]) {
        guard bulkCall == call else { return }
        bulkCall = nil
        isSettled = false
        for (key, item) in items where item != .failed {
            switch key {
            case .page(_, let page): loaded(page: page, item)
            case .record(let name): loaded(name: name, item)
            default: break
            }
        }
    }

    private mutating func loaded(page index: Int, _ item: ReadItem) {
        guard pages.indices.contains(index), !pages[index].isLoaded else { return }
        pages[index].writer.observe(item)
        pages[index].isLoaded = true
        takePage(index)
    }

    private mutating func takePage(_ index: Int) {
        guard case .page(let page)? = pages[index].writer.known?.value else {
            pages[index].names = []
            return
        }
        if page.shardEpoch > title.shardEpoch { effects.append(.outranked) }
        pages[index].names = page.names
        pages[index].adds.subtract(page.names)
        pages[index].removes.formIntersection(page.names)
    }

    private mutating func loaded(name: String, _ item: ReadItem) {
        guard var entry = entries[name], !entry.isLoaded else { return }
        entry.writer.observe(item)
        entry.isLoaded = true
        takeRecord(&entry, name: name)
        entries[name] = entry
    }

    private mutating func takeRecord(_ entry: inout Entry, name: String) {
        var record: OwnedRecord?
        if case .record(let found)? = entry.writer.known?.value {
            if found.shardEpoch > title.shardEpoch { effects.append(.outranked) }
            // In no page it is garbage that a create may write over.
            let isIndexed = pages.contains { $0.names.contains(name) }
            if !found.isTombstone && isIndexed { record = found }
        }
        let before = entry.live
        entry.live = record
        if let record {
            // A status changes the content alone.
            if before?.uid != record.uid || before?.revision != record.revision
                || before?.content != record.content
            {
                effects.append(.opened(LiveRecord(name: name, record)))
            }
        } else if before != nil {
            effects.append(.closed(name))
        }
    }

    package mutating func pageWrote(_ call: CallID, page index: Int, book: inout CallBook) {
        guard pages.indices.contains(index) else { return }
        _ = pages[index].writer.wrote(
            call, purpose: .page(shard: shard, title: title, page: index), book: &book)
    }

    package mutating func recordWrote(_ call: CallID, name: String, book: inout CallBook) {
        _ = entries[name]?.writer.wrote(
            call, purpose: .record(shard: shard, title: title, name: name), book: &book)
    }

    package mutating func pageReadBack(
        _ call: CallID, page index: Int, _ item: ReadItem, now: Moment
    ) {
        guard pages.indices.contains(index),
            let outcome = pages[index].writer.readBack(
                call, item, now: now, pause: pause, rules: rules)
        else { return }
        isSettled = false
        switch outcome {
        case .pending, .unknown: return
        case .applied: pages[index].isSealed = true
        case .conflict: break
        }
        takePage(index)
        if !rules.namesAreNeverDeleted, outcome != .conflict { deleteUnindexed() }
    }

    package mutating func recordReadBack(
        _ call: CallID, name: String, _ item: ReadItem, now: Moment
    ) {
        guard var entry = entries[name],
            let outcome = entry.writer.readBack(
                call, item, now: now, pause: pause, rules: rules)
        else { return }
        isSettled = false
        if outcome != .pending && outcome != .unknown { takeRecord(&entry, name: name) }
        if case .applied = outcome {
            if needsSeal && !entry.isSealed {
                entry.isSealed = true
            } else if entry.queue.first?.isBegun == true {
                finish(&entry, .done)
            }
        } else if outcome == .conflict, entry.queue.first?.isBegun == true {
            // Nothing of this attempt can land any more: it is decided anew from what is there.
            entry.queue[0].isBegun = false
        }
        entries[name] = entry
    }

    /// What the rule against deleting forbids: for tests that switch it off.
    private mutating func deleteUnindexed() {
        for (name, entry) in entries.sorted(by: { $0.key < $1.key })
        where entry.live == nil && entry.queue.isEmpty && entry.writer.isQuiet
            && entry.writer.known != nil
            && !pages.contains(where: { $0.names.contains(name) })
        {
            entries[name] = nil
            deletions.append(.record(name))
        }
    }
}

extension LiveRecord {
    init(name: String, _ record: OwnedRecord) {
        self.init(
            name: name, uid: record.uid, revision: record.revision, content: record.content)
    }
}

extension RecordChange {
    /// Whether the record, as applied, is what the change was made from.
    ///
    /// A change that was given up may arrive late; what it was made from is not there any more if
    /// anything was acknowledged since, tombstones included.
    func fits(_ live: OwnedRecord?, stored: OwnedRecord?) -> Bool {
        guard (kind == .create) == (live == nil) else { return false }
        guard let base else { return true }
        return base == stored.map { Base(uid: $0.uid, revision: $0.revision) } ?? .absent
    }
}

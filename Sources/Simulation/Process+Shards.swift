import ManagerCore

/// A shard that a process serves, with the connections of its records.
final class ServedShard {
    let title: Title
    var links: [String: Link] = [:]
    /// Reads no more: a hand-over is about to freeze it.
    var isStopped = false
    /// The number to answer with.
    var stop = 0
    /// Connections that were closed while a publish call of theirs was under way.
    var ending: [Link] = []
    /// Left from the hand-over: sockets not yet taken over, and what the old owner published.
    var shadow: Shadow?

    init(title: Title, shadow: Shadow?) {
        self.title = title
        self.shadow = shadow
    }

    var sorted: [Link] { links.keys.sorted().compactMap { links[$0] } }

    func end(_ name: String) {
        guard let link = links.removeValue(forKey: name) else { return }
        link.close()
        ending.removeAll { !$0.isCallUnderWay }
        if link.isCallUnderWay { ending.append(link) }
    }
}

/// Connections made for a shard that may come.
final class Shadow {
    let from: Title
    var links: [String: Link] = [:]
    var digests: [String: ConnectionDigests] = [:]
    var isReported = false

    init(from: Title) {
        self.from = from
    }

    var sorted: [Link] { links.keys.sorted().compactMap { links[$0] } }
}

extension Process {
    func performOnShard(_ action: ClusterAction) {
        switch action {
        case .takeUp(let shard, let title, let origin): takeUp(shard, title, origin)
        case .open(let shard, let title, let record): open(shard, title, record)
        case .close(let shard, let title, let name): close(shard, title, name)
        case .stopReading(let shard, let title, let stop): stopReading(shard, title, stop)
        case .hangUp(let shard, let title):
            for link in links(shard, title) { link.hangUp() }
        case .resume(let shard, let title): resume(shard, title)
        case .drop(let shard, let title, let cause): drop(shard, title, cause)
        case .collectDigests(let shard, let title):
            later(0) { process in
                process.handle(
                    .digests(shard: shard, title: title, process.digests(shard, title)))
            }
        case .shadow(let shard, let from, let records): beginShadow(shard, from, records)
        case .keepDigests(let shard, let from, let digests):
            guard let shadow = shadows[shard], shadow.from == from else { return }
            for digest in digests { shadow.digests[digest.name] = digest }
        case .dropShadow(let shard, let from):
            guard let shadow = shadows[shard], shadow.from == from else { return }
            for link in shadow.sorted { link.close() }
            shadows[shard] = nil
        case .closeSockets:
            for link in allLinks {
                if link.session != nil { world.socketsCut += 1 }
                link.hangUp()
            }
        case .redial: for link in allLinks { link.dial() }
        default: break
        }
    }

    var allLinks: [Link] {
        served.keys.sorted().flatMap { served[$0]?.sorted ?? [] }
            + shadows.keys.sorted().flatMap { shadows[$0]?.sorted ?? [] }
    }

    private func links(_ shard: Int, _ title: Title) -> [Link] {
        guard let served = served[shard], served.title == title else { return [] }
        return served.sorted
    }

    func pumpAll() {
        for link in allLinks {
            link.pump()
            link.dial()
        }
    }

    private func takeUp(_ shard: Int, _ title: Title, _ origin: ShardHeader.Origin) {
        var shadow = shadows.removeValue(forKey: shard)
        let isHeirs =
            shadow?.from.identity == origin.owner
            && shadow?.from.shardEpoch == origin.shardEpoch
        if !isHeirs {
            for link in shadow?.sorted ?? [] { link.close() }
            shadow = nil
        }
        served[shard] = ServedShard(title: title, shadow: shadow)
        guard shadow != nil else { return }
        later(20 * .second) { process in
            guard let served = process.served[shard], served.title == title else { return }
            for link in served.shadow?.sorted ?? [] { link.close() }
            served.shadow = nil
        }
    }

    private func open(_ shard: Int, _ title: Title, _ record: LiveRecord) {
        guard let served = served[shard], served.title == title else { return }
        if let link = served.links[record.name] {
            if link.uid == record.uid { return }
            served.end(record.name)
        }
        if let shadow = served.shadow, let link = shadow.links[record.name],
            link.uid == record.uid
        {
            shadow.links[record.name] = nil
            served.links[record.name] = link
            link.becomeEffective(title, shadow.digests[record.name])
            return
        }
        let link = Link(process: self, shard: shard, title: title, record: record, isShadow: false)
        link.isReading = !served.isStopped
        served.links[record.name] = link
        link.dial()
    }

    private func close(_ shard: Int, _ title: Title, _ name: String) {
        guard let served = served[shard], served.title == title else { return }
        served.end(name)
        checkDrained(shard)
    }

    private func stopReading(_ shard: Int, _ title: Title, _ stop: Int) {
        guard let served = served[shard], served.title == title else { return }
        served.isStopped = true
        served.stop = stop
        for link in served.sorted { link.isReading = false }
        checkDrained(shard)
    }

    private func resume(_ shard: Int, _ title: Title) {
        guard let served = served[shard], served.title == title else { return }
        world.checker.resumed(self, shard, title)
        served.isStopped = false
        for link in served.sorted { link.readAgain() }
    }

    func checkDrained(_ shard: Int) {
        guard let served = served[shard], served.isStopped,
            served.links.values.allSatisfy(\.isDrained),
            !served.ending.contains(where: \.isCallUnderWay)
        else { return }
        let (title, stop) = (served.title, served.stop)
        later(0) { process in
            process.handle(
                .drained(
                    shard: shard, title: title, stop: stop, process.digests(shard, title)))
        }
    }

    private func drop(_ shard: Int, _ title: Title, _ cause: ClusterAction.DropCause) {
        let isPlanned = cause == .handedOver || cause == .released
        guard let served = served[shard], served.title == title else { return }
        for link in served.sorted {
            if link.session != nil && !isPlanned { world.socketsCut += 1 }
            link.close()
        }
        for link in served.shadow?.sorted ?? [] { link.close() }
        self.served[shard] = nil
    }

    func digests(_ shard: Int, _ title: Title) -> [ConnectionDigests] {
        links(shard, title).map {
            ConnectionDigests(
                name: $0.name, uid: $0.uid, lastSequence: $0.sequence, frames: $0.published)
        }
    }

    private func beginShadow(_ shard: Int, _ from: Title, _ records: [LiveRecord]) {
        let shadow = Shadow(from: from)
        shadows[shard] = shadow
        for record in records {
            let link = Link(
                process: self, shard: shard, title: from, record: record, isShadow: true)
            shadow.links[record.name] = link
            link.dial()
        }
        let isFast = member.configuration.timing.shadow < .seconds(10)
        later(isFast ? 3 * .second : 8 * .second) { $0.reportShadow(shard, from, isLate: true) }
        later(0) { $0.reportShadow(shard, from, isLate: false) }
    }

    func reportShadow(_ shard: Int, _ from: Title, isLate: Bool) {
        guard let shadow = shadows[shard], shadow.from == from, !shadow.isReported,
            isLate || shadow.links.values.allSatisfy(\.hasEnoughToMatch)
        else { return }
        shadow.isReported = true
        handle(.shadowReady(shard: shard, from: from))
    }
}

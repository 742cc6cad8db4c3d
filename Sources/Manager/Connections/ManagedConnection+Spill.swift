import Logging
import ManagerCore
import NIOCore
import Spec

// MARK: Policy `spill`: what has no room in memory waits on the disk

extension ManagedConnection {
    /// Looks for what a life before this one has left. Called once, under a title.
    func openSpill() {
        guard let directory = environment.spill, directory.holdsLeftovers(of: uid) else { return }
        let found = makeSpill(directory, opening: true)
        let files = found.files
        directory.run { [weak self] in
            let found = files.with { $0.survey() }
            guard let self else { return }
            self.eventLoop.execute { self.spillOpened(found.amount, of: found.epoch) }
        }
    }

    private func makeSpill(_ directory: SpillDirectory, opening: Bool) -> ConnectionSpill {
        let made = ConnectionSpill(
            directory: directory, files: directory.files(of: uid),
            limit: desired.spec.buffer.spill.bytes, opening: opening)
        spill = made
        return made
    }

    /// Of a member of a cluster only what was received under the title right before this one may
    /// still go out: the process that had it wrote to this very disk, and nobody published since.
    private func spillOpened(_ amount: MessageAmount, of epoch: UInt64?) {
        guard let spill else { return }
        spill.isOpening = false
        spill.queue.found(amount)
        if right.gate?.title != nil, epoch != formerEpoch {
            queue.countRefused(.fenced, messages: discardSpill())
        } else if amount.messages > 0 {
            log(
                .info, "messages of an earlier life are published first",
                ["messages": "\(amount.messages)", "bytes": "\(amount.bytes)"])
        }
        stepSpill()
        drainBacklog()
    }

    /// Takes messages to the disk, behind all that is there.
    ///
    /// - Returns: `false`, and nothing has changed, if they have to wait, or must come one by one.
    func spillOver(_ run: EventRun) -> Bool {
        guard let spill = spill ?? environment.spill.map({ makeSpill($0, opening: false) }) else {
            return false
        }
        switch spill.queue.append(run) {
        case .accepted:
            sequence = run.lastSequence
            stepSpill()
            return true
        case .wait:
            return false
        case .full:
            guard run.count == 1 else { return false }
            // It had its number: consumers see the hole.
            sequence = run.lastSequence
            queue.countRefused(.spillFull)
            return true
        }
    }

    /// Does the next thing there is to do with the disk, if none is under way.
    func stepSpill() {
        guard let spill, !spill.isOpening else { return }
        takeUnwritten(spill)
        let room = queue.room
        let wanted = min(room.bytes, SpillQueue.readBytes)
        // Read back is only what has room in the buffers of all connections, too.
        let mayRead = spill.queue.stored.messages > 0 && wanted > 0 && reserveForSpill(wanted)
        switch spill.queue.next(room: mayRead ? room : MessageAmount()) {
        case .read(let amount):
            read(amount, reserved: wanted, spill)
        case .write(let runs):
            if mayRead { environment.buffers.release(wanted) }
            write(runs, spill)
        case nil:
            if mayRead { environment.buffers.release(wanted) }
        }
    }

    /// Where the queue has room again before anything was written, the disk is spared.
    private func takeUnwritten(_ spill: ConnectionSpill) {
        let amount = spill.queue.pendingAmount
        // Behind messages that are on the disk until the bus has them it could not be told where
        // in the order these belong.
        guard amount.messages > 0, !spill.hasReplayed, reserveForSpill(amount.bytes) else { return }
        let runs = spill.queue.takeUnwritten(room: queue.room)
        if runs.isEmpty { environment.buffers.release(amount.bytes) }
        for run in runs { _ = queue.appendWhole(run) }
    }

    private func reserveForSpill(_ bytes: Int) -> Bool {
        if case .granted = environment.buffers.reserve(bytes) { return true }
        armSpillRetry()
        return false
    }

    private func write(_ runs: [EventRun], _ spill: ConnectionSpill) {
        let files = spill.files
        spill.directory.run { [weak self] in
            let result = Result { try files.with { try $0.write(runs) } }
            guard let self else { return }
            self.eventLoop.execute { self.spillWritten(runs.count, result) }
        }
    }

    private func spillWritten(_ count: Int, _ result: Result<Void, any Error>) {
        guard let spill else { return }
        switch result {
        case .success:
            spill.queue.writeEnded(written: count)
            spill.failure = nil
        case .failure(let error):
            spill.queue.writeEnded(written: 0)
            if spill.failure == nil {
                log(
                    .error, "messages cannot be spilled; the socket waits",
                    ["cause": "\(error)"])
            }
            spill.failure = "\(error)"
            armSpillRetry()
        }
        stepSpill()
        drainBacklog()
    }

    private func armSpillRetry() {
        spill?.retryTimer.arm(
            now.advanced(by: ConnectionSpill.retryDelay), now: now, on: eventLoop
        ) { [weak self] in
            self?.spill?.retryTimer.fired()
            self?.spill?.queue.retry()
            self?.stepSpill()
            self?.drainBacklog()
        }
    }

    private func read(_ amount: MessageAmount, reserved: Int, _ spill: ConnectionSpill) {
        let files = spill.files
        let oldest = wallTime.advanced(by: .zero - desired.spec.buffer.spill.maxAge)
        let whole = queue.bounds
        let permit = right.gate
        spill.directory.run { [weak self] in
            let batch = files.with { files in
                files.permit = permit
                return files.read(amount, oldest: oldest, whole: whole)
            }
            guard let self else { return }
            self.eventLoop.execute { self.spillRead(batch, reserved: reserved) }
        }
    }

    private func spillRead(_ batch: SpillFiles.Batch, reserved: Int) {
        let bytes = batch.runs.reduce(0) { $0 + $1.bytes }
        environment.buffers.release(reserved - bytes)
        guard let spill else { return environment.buffers.release(bytes) }
        queue.countRefused(.spillExpired, messages: batch.expired)
        queue.countRefused(.tooLarge, messages: batch.tooLarge)
        if batch.damaged > 0 {
            log(
                .error, "spilled messages are damaged and lost",
                ["records": "\(batch.damaged)"])
        }
        spill.queue.readEnded(batch.amount, isEmpty: batch.isEmpty)
        for run in batch.runs { _ = queue.appendWhole(run) }
        spill.readBack(batch.runs.messageCount, before: batch.end, accepted: queue.accepted)
        spillSettled()
        if batch.amount.messages > 0 || batch.isEmpty { stepSpill() }
        drainBacklog()
    }

    /// Messages have left the queue: what was read back of them is done, and there is room.
    func spillSettled() {
        guard let spill else { return }
        if let place = spill.doneBy(settled) {
            let files = spill.files
            spill.directory.run { files.with { $0.done(place) } }
        }
    }

    /// Messages that have left the queue since the start.
    private var settled: UInt64 { queue.accepted - UInt64(queue.held.messages) }

    /// The end of the process: what memory holds goes to the disk, before all that is there.
    ///
    /// - Returns: how many messages are safe there now. Any thread.
    package func saveToSpill() async -> Int {
        await withCheckedContinuation { continuation in
            eventLoop.execute { self.saveToSpill { continuation.resume(returning: $0) } }
        }
    }

    private func saveToSpill(_ then: @escaping @Sendable (Int) -> Void) {
        guard let directory = environment.spill, spill != nil || queue.overflow == .spill else {
            return then(0)
        }
        let spill = spill ?? makeSpill(directory, opening: false)
        // Nothing may be published behind our back from here on.
        publishTimer.cancel()
        let read = spill.replayedMessages(settled: settled)
        let own = queue.takeAll(butLast: read)
        let pending = spill.queue.pending
        let saved = spill.queue.held.messages + own.messageCount + read
        let files = spill.files
        environment.buffers.release(own.reduce(0) { $0 + $1.bytes })
        spill.directory.run {
            do {
                try files.with { files in
                    try files.writeFirst(own)
                    if !pending.isEmpty { try files.write(pending) }
                }
                then(saved)
            } catch {
                self.log(.error, "messages could not be spilled", ["cause": "\(error)"])
                then(saved - own.messageCount - pending.messageCount)
            }
        }
    }

    /// Gives up what is on the disk. - Returns: how many messages that are.
    func discardSpill() -> Int {
        guard let spill else { return 0 }
        let files = spill.files
        let amount = spill.queue.discard()
        spill.directory.run { files.with { $0.remove() } }
        spill.retryTimer.cancel()
        self.spill = nil
        return amount.messages
    }
}

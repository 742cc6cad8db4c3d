import ManagerCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The spilled messages of one connection on the disk: numbered segments, and a mark of what is done.
///
/// Blocks: for a thread that may, one operation at a time. What `write` has returned from is on the
/// disk. A crash leaves at most a record that was cut short, behind everything that counts; what was
/// published after the last mark is read once more, with the ids it had.
final class SpillFiles: @unchecked Sendable {
    /// A segment is deleted as a whole, so it is a small part of the smallest `buffer.spill.bytes`.
    static let segmentBytes = 4 << 20
    /// Of the first segment: room before it for what memory holds at the end of a process.
    private static let firstSegment: UInt64 = 1 << 32

    /// What one read brought.
    struct Batch: Sendable {
        var runs: [EventRun] = []
        /// Of everything that was passed by, what is not among `runs` included.
        var amount = MessageAmount()
        /// Older than was asked for.
        var expired = 0
        /// Records that are not what was written; of how many messages nobody knows.
        var damaged = 0
        /// Larger than the queue may ever be.
        var tooLarge = 0
        var end: SpillPosition
        /// Nothing more is there.
        var isEmpty = false
    }

    let directory: String
    private var segments: [UInt64]
    private var reading: SpillPosition
    private var writing: (segment: UInt64, file: Int32, bytes: Int)?
    private var source: (segment: UInt64, bytes: [UInt8])?
    /// Of the connection's title, for what is read.
    var permit: (any PublishPermit)?

    /// Opens what is there; makes nothing.
    init(directory: String) {
        self.directory = directory
        segments = FileCalls.segments(in: directory)
        let first = segments.first ?? Self.firstSegment
        let mark = FileCalls.contents(of: directory + "/done").flatMap { SpillPosition(bytes: $0) }
        reading = max(SpillPosition(segment: first), mark ?? SpillPosition(segment: first))
        if !segments.contains(reading.segment) { reading = SpillPosition(segment: first) }
    }

    deinit {
        if let writing { close(writing.file) }
    }

    var isEmpty: Bool { segments.isEmpty }

    /// Counts what is there, by reading it.
    func count() -> MessageAmount { survey().amount }

    /// Counts what is there, and says under which epoch the last of it was received.
    func survey() -> (amount: MessageAmount, epoch: UInt64?) {
        var amount = MessageAmount()
        var epoch: UInt64?
        var place = reading
        while let (run, next) = run(at: &place) {
            amount.messages += run.count
            amount.bytes += run.bytes
            epoch = run.id(at: 0).epoch
            place = next
        }
        return (amount, epoch)
    }

    /// The name of the connection these are of, and under which epoch the last of them was received;
    /// `nil` if nothing can be read.
    func holder() -> (name: String, epoch: UInt64)? {
        // The last segment has the last of them, unless it is damaged.
        for segment in segments.reversed() {
            var place = SpillPosition(segment: segment)
            var last: EventOrigin?
            while let (run, next) = run(at: &place) {
                last = run.block.origin
                place = next
            }
            guard let last, let name = last.name else { continue }
            return (name, last.epoch)
        }
        return nil
    }

    // MARK: Writing

    /// Appends all of it, or nothing.
    func write(_ runs: [EventRun]) throws {
        var bytes: [UInt8] = []
        for run in runs { SpillCodec.append(run, to: &bytes) }
        var target = try writing ?? newSegment()
        if target.bytes > 0, target.bytes + bytes.count > Self.segmentBytes {
            close(target.file)
            writing = nil
            target = try newSegment()
        }
        do {
            try FileCalls.writeAll(bytes, to: target.file)
        } catch {
            // What is half there would hide everything behind it.
            _ = ftruncate(target.file, off_t(target.bytes))
            throw error
        }
        target.bytes += bytes.count
        writing = target
        if source?.segment == target.segment { source = nil }
    }

    /// Puts messages before all others: what memory holds at the end of the process.
    func writeFirst(_ runs: [EventRun]) throws {
        guard !runs.isEmpty else { return }
        try FileCalls.makeDirectory(directory)
        let number = (segments.first ?? Self.firstSegment) - 1
        let path = self.path(number)
        var bytes: [UInt8] = []
        for run in runs { SpillCodec.append(run, to: &bytes) }
        let file = try FileCalls.open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC)
        defer { close(file) }
        try FileCalls.writeAll(bytes, to: file)
        guard rename(path + ".new", path) == 0 else { throw FileCalls.failure("rename", path) }
        segments.insert(number, at: 0)
        reading = SpillPosition(segment: number)
        unlink(directory + "/done")
        FileCalls.sync(directory)
    }

    private func newSegment() throws -> (segment: UInt64, file: Int32, bytes: Int) {
        try FileCalls.makeDirectory(directory)
        let number = segments.last.map { $0 + 1 } ?? Self.firstSegment
        let file = try FileCalls.open(path(number), O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
        if segments.isEmpty { reading = SpillPosition(segment: number) }
        segments.append(number)
        FileCalls.sync(directory)
        writing = (number, file, 0)
        return (number, file, 0)
    }

    // MARK: Reading

    /// Reads on from the last read: as much as fits, one message at least if it fits an empty queue.
    ///
    /// - Parameters:
    ///   - oldest: what was received before is left out.
    ///   - whole: the bounds of the queue; larger messages will never fit.
    func read(_ room: MessageAmount, oldest: WallTime, whole: MessageAmount) -> Batch {
        var batch = Batch(end: reading)
        var taken = MessageAmount()
        while let (run, next) = run(at: &batch.end, damaged: &batch.damaged) {
            if run.block.time < oldest {
                batch.expired += run.count
                batch.pass(run, next)
                continue
            }
            let fitting = min(
                run.countWithin(room.bytes - taken.bytes), room.messages - taken.messages)
            if fitting == 0, run.bytes(at: 0) > whole.bytes {
                batch.tooLarge += 1
                batch.pass(run.prefix(1), run.count == 1 ? next : batch.end.skipping(1))
                continue
            }
            guard fitting > 0 else { break }
            let part = run.prefix(fitting)
            batch.runs.append(part)
            taken.messages += part.count
            taken.bytes += part.bytes
            batch.pass(part, fitting == run.count ? next : batch.end.skipping(fitting))
            if fitting < run.count { break }
        }
        reading = batch.end
        var rest = reading
        batch.isEmpty = self.run(at: &rest) == nil
        return batch
    }

    /// Everything before this place is published: it is not read again.
    func done(_ position: SpillPosition) {
        while let first = segments.first, first < position.segment { removeFirst() }
        guard position == reading, writing.map({ $0.segment == position.segment }) ?? true,
            isAtEnd(position)
        else {
            FileCalls.mark(directory + "/done", position)
            return
        }
        if let writing { close(writing.file) }
        writing = nil
        while !segments.isEmpty { removeFirst() }
        unlink(directory + "/done")
        rmdir(directory)
    }

    /// Deletes everything, what a crash has left half-written too.
    func remove() {
        if let writing { close(writing.file) }
        writing = nil
        while !segments.isEmpty { removeFirst() }
        for name in FileCalls.names(in: directory) where name.hasSuffix(".spill.new") {
            unlink(directory + "/" + name)
        }
        unlink(directory + "/done")
        rmdir(directory)
    }

    private func removeFirst() {
        let number = segments.removeFirst()
        unlink(path(number))
        if source?.segment == number { source = nil }
    }

    private func isAtEnd(_ position: SpillPosition) -> Bool {
        var place = position
        return run(at: &place) == nil
    }

    private func run(at place: inout SpillPosition) -> (EventRun, SpillPosition)? {
        var damaged = 0
        return run(at: &place, damaged: &damaged)
    }

    /// The run at a place, and where the next one is; goes on to later segments by itself.
    private func run(
        at place: inout SpillPosition, damaged: inout Int
    ) -> (EventRun, SpillPosition)? {
        while true {
            let bytes = contents(of: place.segment)
            switch SpillCodec.read(bytes[min(place.offset, bytes.count)...], permit: permit) {
            case .record(var run, let end):
                let next = SpillPosition(segment: place.segment, offset: end)
                if place.skipped >= run.count {
                    place = next
                    continue
                }
                if place.skipped > 0 { run.removeFirst(place.skipped) }
                return (run, next)
            case .damaged(let end):
                damaged += 1
                place = SpillPosition(segment: place.segment, offset: end)
            case .end:
                guard let later = segments.first(where: { $0 > place.segment }) else { return nil }
                // Only the newest segment is still written to.
                if bytes.count > place.offset { damaged += 1 }
                place = SpillPosition(segment: later)
            }
        }
    }

    /// A segment is read as a whole and kept until another is wanted.
    private func contents(of segment: UInt64) -> [UInt8] {
        if let source, source.segment == segment { return source.bytes }
        let bytes = FileCalls.contents(of: path(segment)) ?? []
        source = (segment, bytes)
        return bytes
    }

    private func path(_ segment: UInt64) -> String {
        let digits = String(segment)
        let zeros = String(repeating: "0", count: 20 - digits.count)
        return "\(directory)/\(zeros)\(digits).spill"
    }
}

extension SpillFiles.Batch {
    fileprivate mutating func pass(_ run: EventRun, _ place: SpillPosition) {
        amount.messages += run.count
        amount.bytes += run.bytes
        end = place
    }
}

extension EventOrigin {
    fileprivate var name: String? { attributes.first { $0.name == "websocketid" }?.value }
}

extension SpillPosition {
    fileprivate func skipping(_ messages: Int) -> SpillPosition {
        SpillPosition(segment: segment, offset: offset, skipped: skipped + messages)
    }
}

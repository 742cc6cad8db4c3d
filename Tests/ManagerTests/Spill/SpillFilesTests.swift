import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

struct SpillFilesTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/spill/uid"
    }

    private func run(_ numbers: ClosedRange<Int>, bytes: Int = 10, time: Int64 = 0) -> EventRun {
        EventRun(
            origin: EventOrigin(uid: .sample("f"), epoch: 1, name: "a", url: "ws://a"),
            topic: "t", time: WallTime(nanosecondsSinceEpoch: time), kind: .binary, data: .auto,
            firstSequence: UInt64(numbers.lowerBound),
            payload: [UInt8](repeating: 1, count: numbers.count * bytes),
            ends: (1...numbers.count).map { $0 * bytes })
    }

    private static let all = MessageAmount(messages: .max, bytes: .max)

    private func read(
        _ files: SpillFiles, _ room: MessageAmount = Self.all, oldest: Int64 = .min
    ) -> SpillFiles.Batch {
        files.read(
            room, oldest: WallTime(nanosecondsSinceEpoch: oldest), whole: Self.all)
    }

    private func sequences(_ batch: SpillFiles.Batch) -> [UInt64] {
        batch.runs.events.map(\.id.sequence)
    }

    @Test func whatWasWrittenIsReadInOrderOverSegments() throws {
        let files = SpillFiles(directory: path)
        for start in stride(from: 1, to: 200, by: 10) {
            try files.write([run(start...start + 9, bytes: 100_000)])
        }
        #expect(FileCalls.segments(in: path).count > 3)
        var read: [UInt64] = []
        while true {
            let batch = self.read(files, MessageAmount(messages: 7, bytes: 1 << 20))
            read += sequences(batch)
            files.done(batch.end)
            if batch.isEmpty { break }
        }
        #expect(read == Array(1...200))
        #expect(FileCalls.names(in: path).isEmpty)
    }

    @Test func aNewLifeGoesOnAtTheMark() throws {
        let first = SpillFiles(directory: path)
        try first.write([run(1...10), run(11...20)])
        let batch = read(first, MessageAmount(messages: 4, bytes: 1 << 20))
        #expect(sequences(batch) == [1, 2, 3, 4])
        first.done(batch.end)
        _ = read(first, MessageAmount(messages: 3, bytes: 1 << 20))
        // It ends here: what was read last was not done.
        let second = SpillFiles(directory: path)
        #expect(second.count().messages == 16)
        try second.write([run(21...25)])
        #expect(sequences(read(second)) == Array(5...25))
    }

    @Test func whatMemoryHeldAtTheEndComesFirst() throws {
        let first = SpillFiles(directory: path)
        try first.write([run(11...20)])
        try first.writeFirst([run(1...10)])
        try first.write([run(21...22)])
        #expect(sequences(read(SpillFiles(directory: path))) == Array(1...22))
        // Without anything else it is all there is.
        let alone = SpillFiles(directory: path + "2")
        try alone.writeFirst([run(1...3)])
        #expect(sequences(read(SpillFiles(directory: path + "2"))) == [1, 2, 3])
    }

    @Test func oldMessagesAreLeftOutAndCounted() throws {
        let files = SpillFiles(directory: path)
        try files.write([run(1...5, time: 10), run(6...9, time: 20)])
        let batch = read(files, oldest: 15)
        #expect(batch.expired == 5 && batch.amount.messages == 9)
        #expect(sequences(batch) == [6, 7, 8, 9] && batch.isEmpty)
    }

    @Test func aMessageThatNeverFitsIsLeftOut() throws {
        let files = SpillFiles(directory: path)
        try files.write([run(1...1, bytes: 5_000), run(2...2)])
        let batch = files.read(
            MessageAmount(messages: 9, bytes: 1_000),
            oldest: WallTime(nanosecondsSinceEpoch: .min),
            whole: MessageAmount(messages: 9, bytes: 1_000))
        #expect(batch.tooLarge == 1 && sequences(batch) == [2])
        // One that fits an empty queue waits.
        try files.write([run(3...3, bytes: 5_000)])
        let later = read(files, MessageAmount(messages: 9, bytes: 1_000))
        #expect(later.runs.isEmpty && later.tooLarge == 0 && !later.isEmpty)
    }

    @Test func aRecordThatWasCutShortEndsASegmentOnly() throws {
        let files = SpillFiles(directory: path)
        try files.write([run(1...2)])
        let segment = try #require(FileCalls.segments(in: path).first)
        let names = FileCalls.names(in: path)
        let name = try #require(names.first { $0.hasSuffix("\(segment).spill") })
        let file = try FileCalls.open(path + "/" + name, appending)
        try FileCalls.writeAll([1, 2, 3, 4, 5, 6, 7, 8, 9], to: file)
        let next = SpillFiles(directory: path)
        try next.write([run(3...4)])
        let batch = read(next)
        #expect(sequences(batch) == [1, 2, 3, 4] && batch.isEmpty)
    }

    @Test func nothingIsMadeBeforeSomethingIsWritten() {
        let files = SpillFiles(directory: path)
        let batch = read(files)
        #expect(batch.isEmpty && batch.runs.isEmpty)
        files.done(batch.end)
        files.remove()
        #expect(FileCalls.names(in: directory.path).filter { $0 == "spill" }.isEmpty)
    }

    @Test func aDirectoryThatCannotBeMadeIsAnError() throws {
        let files = SpillFiles(directory: "/proc/none/spill")
        #expect(throws: FileCalls.Failure.self) { try files.write([run(1...1)]) }
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

private let appending: Int32 = O_WRONLY | O_APPEND

import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Manager

@Suite(.timeLimit(.minutes(1))) struct ChangeNotesTests {
    @Test func whatATurnOfTheLoopBringsIsToldOfTogetherAtItsEnd() async throws {
        let told = Mutex<[[String]]>([])
        let notes = ChangeNotes { names in told.withLock { $0.append(names) } }
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        for _ in 0..<2 {
            let before = try await loop.submit {
                for name in ["a", "b", "a"] { notes.note(name, on: loop) }
                return told.withLock { $0.count }
            }.get()
            let after = try await loop.submit { told.withLock { $0.count } }.get()
            #expect(after == before + 1)
        }
        #expect(told.withLock { $0 } == [["a", "b", "a"], ["a", "b", "a"]])
    }
}

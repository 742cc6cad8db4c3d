import Manager
import TestKit
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct DataDirectoryLockTests {
    @Test func aSecondHolderIsRefusedAndToldWhoTheFirstIs() throws {
        let directory = try TemporaryDirectory()
        let first = try DataDirectoryLock(directory: directory.path + "/data")
        do {
            _ = try DataDirectoryLock(directory: directory.path + "/data")
            Issue.record("two holders of one directory")
        } catch let taken as DataDirectoryLock.Taken {
            #expect(taken.holder == "process \(getpid())")
            #expect(taken.description.contains(directory.path + "/data"))
            #expect(taken.description.contains("--data-dir"))
        }
        withExtendedLifetime(first) {}
    }

    @Test func theNextHolderGetsItWhenTheFirstIsGone() throws {
        let directory = try TemporaryDirectory()
        do { _ = try DataDirectoryLock(directory: directory.path) }
        _ = try DataDirectoryLock(directory: directory.path)
    }

    @Test func aDirectoryThatCannotBeMadeIsNamed() throws {
        let directory = try TemporaryDirectory()
        try directory.write("a file", to: "file")
        do {
            _ = try DataDirectoryLock(directory: directory.path + "/file/data")
            Issue.record("a file was taken for a directory")
        } catch let unusable as DataDirectoryLock.Unusable {
            #expect(
                unusable.description == "the data directory \(directory.path)/file/data "
                    + "cannot be made: Not a directory; choose another --data-dir")
        }
    }
}

import TestKit
import Testing

@testable import Manager

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Which files of a real directory are manifests.
struct ManifestTreeTests {
    private let directory: TemporaryDirectory
    private let tree: ManifestTree

    init() throws {
        directory = try TemporaryDirectory()
        tree = ManifestTree(directory.path)
    }

    private var paths: [String] { tree.look().files.map(\.path) }
    private var problems: [String] { tree.look().problems.map { "\($0.path): \($0.sentence)" } }

    @Test func manifestsAtAnyDepthInTheOrderOfTheirNames() throws {
        for name in ["b.yaml", "a.yml", "c.json", "d/e/f.yaml", "README.md", "x.yaml.bak"] {
            try directory.write("x\n", to: name)
        }
        #expect(paths == ["a.yml", "b.yaml", "c.json", "d/e/f.yaml"])
        #expect(problems.isEmpty)
    }

    @Test func hiddenEntriesAreLeftOut() throws {
        for name in [".a.yaml", ".git/b.yaml", "sub/.hidden/c.yaml", "sub/d.yaml"] {
            try directory.write("x\n", to: name)
        }
        #expect(paths == ["sub/d.yaml"])
    }

    @Test func equalLooksAreEqualAndAChangeIsSeen() throws {
        try directory.write("one\n", to: "a.yaml")
        let before = tree.look()
        #expect(tree.look() == before)
        try directory.write("longer\n", to: "a.yaml")
        #expect(tree.look() != before)
        let after = tree.look()
        try directory.write("x\n", to: "b.yaml")
        #expect(tree.look() != after)
    }

    @Test func aChangeOfModeIsSeen() throws {
        let path = try directory.write("one\n", to: "a.yaml")
        let before = tree.look()
        // The inode's time has the grain of the clock: until it shows.
        var changed = false
        for mode in 0..<100_000 where !changed {
            chmod(path, mode % 2 == 0 ? 0o600 : 0o640)
            changed = tree.look() != before
        }
        #expect(changed)
    }

    /// As the kubelet lays out a mounted ConfigMap, and swaps it.
    @Test func aConfigMapIsReadThroughItsLinksAndASwapIsSeen() throws {
        try directory.write(connection("a"), to: "..2024_1/a.yaml")
        try directory.write(connection("b"), to: "..2024_1/b.yaml")
        try directory.link("..data", to: "..2024_1")
        try directory.link("a.yaml", to: "..data/a.yaml")
        try directory.link("b.yaml", to: "..data/b.yaml")
        let before = tree.look()
        #expect(before.files.map(\.path) == ["a.yaml", "b.yaml"])
        #expect(before.problems.isEmpty)

        try directory.write(connection("a", topic: "new"), to: "..2024_2/a.yaml")
        try directory.link("..data_tmp", to: "..2024_2")
        #expect(rename("\(directory.path)/..data_tmp", "\(directory.path)/..data") == 0)
        // The link of a key that is gone dangles until it is taken away.
        #expect(problems == ["b.yaml: No such file or directory"])
        try directory.remove("b.yaml")
        let after = tree.look()
        #expect(after.files.map(\.path) == ["a.yaml"])
        #expect(after.files[0].stamp != before.files[0].stamp)
        #expect(
            try tree.contents(of: after.files[0])
                == Array(connection("a", topic: "new").utf8))
        #expect(throws: ManifestTree.ReadFailure.changed) {
            try tree.contents(of: before.files[0])
        }
    }

    @Test func theDirectoryItselfMayBeALinkThatIsSwapped() throws {
        try directory.write("x\n", to: "one/a.yaml")
        try directory.write("x\n", to: "two/b.yaml")
        try directory.link("current", to: "one")
        let tree = ManifestTree("\(directory.path)/current")
        #expect(tree.look().files.map(\.path) == ["a.yaml"])
        try directory.remove("current")
        try directory.link("current", to: "two")
        #expect(tree.look().files.map(\.path) == ["b.yaml"])
    }

    @Test func aLinkOutOfTheDirectoryIsAProblem() throws {
        let outside = try TemporaryDirectory()
        try outside.write("token\n", to: "secret.yaml")
        try directory.link("a.yaml", to: "\(outside.path)/secret.yaml")
        try directory.link("sub", to: outside.path)
        #expect(
            Set(problems) == [
                "a.yaml: the link leads out of the directory",
                "sub: the link leads out of the directory",
            ])
        #expect(paths.isEmpty)
    }

    @Test func linksInCirclesEnd() throws {
        try directory.write("x\n", to: "sub/a.yaml")
        try directory.link("sub/up", to: "..")
        try directory.link("loop.yaml", to: "loop.yaml")
        #expect(paths == ["sub/a.yaml"])
        #expect(problems == ["loop.yaml: Too many levels of symbolic links"])
    }

    @Test func aDirectoryThatIsNotThereIsAProblem() {
        let look = ManifestTree("\(directory.path)/none").look()
        #expect(look.files.isEmpty)
        #expect(look.problems == [.init(path: "", sentence: "No such file or directory")])
    }

    @Test func aFileInPlaceOfTheDirectoryIsAProblem() throws {
        let path = try directory.write("x\n", to: "plain.yaml")
        #expect(
            ManifestTree(path).look().problems == [.init(path: "", sentence: "Not a directory")])
    }

    @Test func whatIsNoFileIsLeftAlone() throws {
        #expect(mkfifo("\(directory.path)/pipe.yaml", 0o600) == 0)
        try directory.write("x\n", to: "dir.yaml/inside.yaml")
        #expect(paths == ["dir.yaml/inside.yaml"])
        #expect(problems.isEmpty)
    }
}

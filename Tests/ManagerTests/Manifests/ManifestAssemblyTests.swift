import Manager
import Spec
import TestKit
import Testing

/// What a state of the directory means.
struct ManifestAssemblyTests {
    private var assembly = ManifestAssembly(directory: "manifests/")

    private func file(_ path: String, size: Int64 = 1) -> DirectorySnapshot.File {
        .init(
            path: path, stamp: .init(device: 1, inode: 1, size: size, modified: 0, changed: 0))
    }

    /// Reads these files and says what they mean together.
    private mutating func verdict(_ files: KeyValuePairs<String, String>) -> DirectoryVerdict {
        let snapshot = DirectorySnapshot(files: files.map { file($0.key) })
        for (path, text) in files { assembly.read(file(path), Array(text.utf8)) }
        return assembly.verdict(on: snapshot)
    }

    private func names(_ verdict: DirectoryVerdict) -> [String]? {
        guard case .declared(let declaration) = verdict else { return nil }
        return declaration.objects.map(\.metadata.name)
    }

    private func refusal(_ verdict: DirectoryVerdict) -> DirectoryRefusal? {
        guard case .refused(let refusal) = verdict else { return nil }
        return refusal
    }

    @Test mutating func allFilesTogetherAreTheSet() {
        let verdict = verdict([
            "a.yaml": connection("a"), "b/c.yml": connection("b") + "---\n" + connection("c"),
        ])
        #expect(names(verdict) == ["a", "b", "c"])
    }

    @Test mutating func oneBrokenFileRefusesAllAndNamesThePlace() {
        let refused = refusal(
            verdict(["a.yaml": connection("a"), "b.yaml": "kind: Nonsense\n"]))
        #expect(refused?.reason == .invalid)
        #expect(refused?.problems.first?.hasPrefix("manifests/b.yaml:1:") == true)
    }

    @Test mutating func aNameInTwoFilesIsRefusedWithBothPlaces() {
        #expect(
            names(verdict(["a.yaml": connection("x"), "b.yaml": connectionSet("x", ["y"])]))
                == ["x", "x"], "a set and a connection may share a name")
        let twice = refusal(
            verdict(["a.yaml": connection("x"), "b.yaml": connectionSet("s", ["x"])]))
        #expect(twice?.reason == .invalid)
        #expect(
            twice?.problems == [
                "manifests/b.yaml:1:1: a Connection named x is there already, at "
                    + "manifests/a.yaml:1:1"
            ])
    }

    @Test mutating func nothingAtAllIsNotBelieved() {
        #expect(refusal(verdict([:]))?.reason == .empty)
        #expect(refusal(verdict(["a.yaml": "# all of it\n"]))?.reason == .empty)
    }

    @Test mutating func aCommentAloneBesideManifestsIsFine() {
        #expect(names(verdict(["a.yaml": "# later\n", "b.yaml": connection("b")])) == ["b"])
    }

    @Test(arguments: ["", " \n\t\r\n"])
    mutating func aBlankFileIsTakenForAHalfWrittenOne(_ text: String) {
        let refused = refusal(verdict(["a.yaml": connection("a"), "b.yaml": text]))
        #expect(refused?.reason == .halfWritten)
        #expect(refused?.message.contains("manifests/b.yaml: the file is empty") == true)
    }

    @Test mutating func whatCannotBeLookedAtRefusesAll() {
        var snapshot = DirectorySnapshot(files: [file("a.yaml")])
        assembly.read(file("a.yaml"), Array(connection("a").utf8))
        snapshot.problems = [
            .init(path: "b", sentence: "Permission denied"), .init(path: "", sentence: "gone"),
        ]
        let refused = refusal(assembly.verdict(on: snapshot))
        #expect(refused?.reason == .unreadable)
        #expect(refused?.problems == ["manifests/b: Permission denied", "manifests: gone"])
        #expect(refused?.message == "manifests/b: Permission denied (and 1 more)")
    }

    @Test mutating func aFileThatCannotBeReadRefusesAllUntilItCan() {
        let snapshot = DirectorySnapshot(files: [file("a.yaml"), file("b.yaml")])
        assembly.read(file("a.yaml"), Array(connection("a").utf8))
        assembly.unreadable(file("b.yaml"), "Permission denied")
        #expect(refusal(assembly.verdict(on: snapshot))?.reason == .unreadable)
        assembly.forgetUnreadable()
        #expect(assembly.unread(in: snapshot).map(\.path) == ["b.yaml"])
        #expect(
            refusal(assembly.verdict(on: snapshot))?.problems == [
                "manifests/b.yaml: it was not read"
            ])
        assembly.read(file("b.yaml"), Array(connection("b").utf8))
        #expect(names(assembly.verdict(on: snapshot)) == ["a", "b"])
    }

    @Test mutating func onlyWhatChangedIsReadAgain() {
        var snapshot = DirectorySnapshot(files: [file("a.yaml"), file("b.yaml")])
        _ = verdict(["a.yaml": connection("a"), "b.yaml": connection("b")])
        #expect(assembly.unread(in: snapshot).isEmpty)
        snapshot.files[1] = file("b.yaml", size: 2)
        #expect(assembly.unread(in: snapshot).map(\.path) == ["b.yaml"])
        assembly.forget()
        #expect(assembly.unread(in: snapshot).count == 2)
    }

    @Test mutating func aLastLineWithoutItsEndIsDoubtedUntilItWasTaken() {
        let snapshot = DirectorySnapshot(files: [file("a.yaml"), file("b.json")])
        let cut = String(connection("a").dropLast(while: "\n"))
        assembly.read(file("a.yaml"), Array(cut.utf8))
        assembly.read(file("b.json"), Array("{}".utf8))
        #expect(assembly.mayBeCutOff(snapshot))
        assembly.taken(snapshot)
        #expect(!assembly.mayBeCutOff(snapshot))
        assembly.read(file("a.yaml", size: 2), Array(connection("a").utf8))
        #expect(
            !assembly.mayBeCutOff(
                DirectorySnapshot(files: [file("a.yaml", size: 2), file("b.json")])))
    }

    @Test mutating func tooMuchIsRefusedBeforeItIsRead() {
        let many = DirectorySnapshot(
            files: (0...ManifestDirectoryLimits.maxFiles).map { file("\($0).yaml") })
        #expect(refusal(assembly.verdict(on: many))?.reason == .tooLarge)
        let large = DirectorySnapshot(files: [
            file("a.yaml", size: .max), file("b.yaml", size: .max),
        ])
        #expect(refusal(assembly.verdict(on: large))?.reason == .tooLarge)
    }

    @Test mutating func anObjectThatNoMessageCanCarryIsRefused() {
        let value = String(repeating: "x", count: 1_000)
        let rows = (0..<5_000).map { "{word: w\($0), pad: \(value)}" }.joined(separator: ", ")
        let text = connectionSet("fleet", ["a"])
            .replacing("list: [{word: a}]", with: "list: [\(rows)]")
            .replacing("test/{{word}}", with: "test/{{word}}?{{pad}}")
        let refused = refusal(verdict(["a.yaml": text]))
        #expect(refused?.reason == .tooLarge)
        #expect(refused?.message.contains("ConnectionSet fleet has 5") == true)
    }

    @Test func aRefusalShowsTheFirstProblemsAndCountsAll() {
        let refusal = DirectoryRefusal(
            .invalid, problems: (0..<50).map { "\($0)" + String(repeating: "x", count: 1000) })
        #expect(refusal.problems.count == ManifestDirectoryLimits.shownProblems)
        #expect(refusal.problems.allSatisfy { $0.count <= 401 })
        #expect(refusal.problemCount == 50)
        #expect(refusal.message.hasSuffix("(and 49 more)"))
    }
}

extension String {
    fileprivate func dropLast(while character: Character) -> Substring {
        var rest = self[...]
        while rest.last == character { rest = rest.dropLast() }
        return rest
    }
}

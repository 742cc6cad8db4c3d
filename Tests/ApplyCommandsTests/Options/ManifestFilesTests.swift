import Foundation
import Testing

@testable import ApplyCommands

struct ManifestFilesTests {
    private func found(_ directory: TemporaryDirectory, _ arguments: [String]? = nil) throws
        -> [String]
    {
        try ManifestFiles.find(arguments ?? [directory.path]).map {
            $0.replacing(directory.path + "/", with: "")
        }
    }

    @Test func walksSortedAndSkipsWhatIsHiddenOrNoManifest() throws {
        let directory = try TemporaryDirectory()
        for name in [
            "b.yaml", "a.yml", "Z.json", "c/2.yaml", "c/1.yaml", "c/d/x.json", ".git/h.yaml",
            ".hidden.yaml", "readme.md", "c.yaml", "c/.x.yaml",
        ] {
            try directory.write(name, "")
        }
        #expect(
            try found(directory) == [
                "Z.json", "a.yml", "b.yaml", "c/1.yaml", "c/2.yaml", "c/d/x.json", "c.yaml",
            ])
    }

    @Test func aNamedFileNeedsNoExtensionAndOrderIsThatOfTheArguments() throws {
        let directory = try TemporaryDirectory()
        try directory.write("b.conf", "")
        try directory.write("a.yaml", "")
        let arguments = [directory.path + "/b.conf", "-", directory.path + "/"]
        #expect(try found(directory, arguments) == ["b.conf", "-", "a.yaml"])
    }

    @Test func aLinkBackUpIsLeftAlone() throws {
        let directory = try TemporaryDirectory()
        try directory.write("x/a.yaml", "")
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/x/up", withDestinationPath: directory.path)
        #expect(try found(directory) == ["x/a.yaml"])
    }

    @Test func aPathThatIsNotThereIsAnError() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: CommandFailure(.invalid, "/no/such: No such file or directory")) {
            try found(directory, ["/no/such"])
        }
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/dangling.yaml", withDestinationPath: "/no/such")
        #expect(throws: CommandFailure.self) { try found(directory) }
    }
}

struct ApplyStreamTests {
    @Test func chunksHoldAsMuchAsFitsAndNeverNothing() {
        #expect(ApplyStream.chunks(of: [], limit: 10) == [])
        #expect(ApplyStream.chunks(of: [4, 4, 4], limit: 10) == [0..<2, 2..<3])
        #expect(ApplyStream.chunks(of: [5, 5, 1], limit: 10) == [0..<2, 2..<3])
        #expect(ApplyStream.chunks(of: [50, 1, 50], limit: 10) == [0..<1, 1..<2, 2..<3])
    }
}

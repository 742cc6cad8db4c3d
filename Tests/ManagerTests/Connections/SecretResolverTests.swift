import Manager
import Spec
import TestKit
import Testing

@Suite struct SecretResolverTests {
    private func resolver(
        _ directory: TemporaryDirectory?, environment: [String: String] = [:]
    ) -> SecretResolver {
        SecretResolver(
            directory: directory.map { $0.path + "/secrets" }, environmentPrefix: "WSM_SECRET_",
            environment: environment)
    }

    private func refusal(_ resolver: SecretResolver, _ value: Value) -> String {
        do {
            let bytes = try resolver.bytes(of: value)
            return "resolved to \(bytes.count) bytes"
        } catch {
            return error.description
        }
    }

    @Test func aLiteralIsItself() throws {
        let resolver = resolver(nil)
        #expect(try resolver.text(of: .literal("${HOME} {{x}}\n")) == "${HOME} {{x}}\n")
    }

    @Test func anEnvironmentVariableNeedsThePrefix() throws {
        let resolver = resolver(
            nil, environment: ["WSM_SECRET_TOKEN": "s3cret", "PATH": "/bin", "WSM_SECRET_": "x"])
        #expect(try resolver.text(of: .secret(.environment("WSM_SECRET_TOKEN"))) == "s3cret")
        let refused = refusal(resolver, .secret(.environment("PATH")))
        #expect(refused.contains("env:PATH"))
        #expect(refused.contains("--secret-env-prefix"))
        #expect(!refused.contains("/bin"))
        #expect(
            refusal(resolver, .secret(.environment("WSM_SECRET_OTHER"))).contains("is not set"))
    }

    @Test func aFileLosesOneTrailingNewline() throws {
        let directory = try TemporaryDirectory()
        try directory.write("token\n", to: "secrets/one")
        try directory.write("token\n\n", to: "secrets/deep/two")
        try directory.write("", to: "secrets/empty")
        let resolver = resolver(directory)
        #expect(try resolver.text(of: .secret(.file("one"))) == "token")
        #expect(try resolver.text(of: .secret(.file("deep/two"))) == "token\n")
        #expect(try resolver.text(of: .secret(.file("deep/../one"))) == "token")
        #expect(try resolver.text(of: .secret(.file("empty"))) == "")
        #expect(
            try resolver.text(of: .secret(.file(directory.path + "/secrets/one"))) == "token")
    }

    @Test func aFileMustStayInsideItsDirectorySymbolicLinksFollowed() throws {
        let directory = try TemporaryDirectory()
        try directory.write("inside", to: "secrets/inside")
        try directory.write("outside", to: "outside")
        try directory.write("sibling", to: "secrets-not/file")
        try directory.link("secrets/in", to: directory.path + "/secrets/inside")
        try directory.link("secrets/out", to: directory.path + "/outside")
        try directory.link("secrets/up", to: "..")
        let resolver = resolver(directory)
        #expect(try resolver.text(of: .secret(.file("in"))) == "inside")
        for path in [
            "out", "../outside", "up/outside", directory.path + "/outside", "/etc/passwd",
            "../secrets-not/file", "in/../../outside",
        ] {
            let sentence = refusal(resolver, .secret(.file(path)))
            let isRefused =
                sentence.contains("leads out of --secrets-dir")
                || sentence.contains("is not there")
            #expect(isRefused, "\(path): \(sentence)")
        }
        #expect(refusal(resolver, .secret(.file("out"))).contains("leads out of"))
        #expect(refusal(resolver, .secret(.file("../secrets-not/file"))).contains("leads out of"))
    }

    @Test func aLinkedDirectoryIsFollowedToo() throws {
        let directory = try TemporaryDirectory()
        try directory.write("token", to: "real/one")
        try directory.link("secrets", to: directory.path + "/real")
        #expect(try resolver(directory).text(of: .secret(.file("one"))) == "token")
    }

    @Test func whatCannotBeReadIsNamedAndNotShown() throws {
        let directory = try TemporaryDirectory()
        try directory.write("x", to: "secrets/dir/file")
        try directory.write(
            String(repeating: "k", count: SecretResolver.largestSecret + 1), to: "secrets/big")
        let resolver = resolver(directory)
        #expect(refusal(resolver, .secret(.file("nobody"))) == "secret file:nobody is not there")
        #expect(refusal(resolver, .secret(.file("dir"))).contains("cannot be read"))
        #expect(refusal(resolver, .secret(.file("big"))).contains("larger than 1048576 bytes"))
        #expect(
            refusal(self.resolver(nil), .secret(.file("one"))).contains("without --secrets-dir"))
    }

    @Test func textMustBeUTF8() throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "secrets/raw")
        try writeBytes([0xFF, 0x00, 0x0A], to: directory.path + "/secrets/raw")
        let resolver = resolver(directory)
        #expect(try resolver.bytes(of: .secret(.file("raw"))) == [0xFF, 0x00])
        do {
            _ = try resolver.text(of: .secret(.file("raw")))
            Issue.record("bytes were taken for text")
        } catch {
            #expect(error.description.contains("file:raw is not UTF-8"))
        }
    }
}

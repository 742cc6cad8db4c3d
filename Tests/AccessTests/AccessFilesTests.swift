import NIOSSL
import Testing
import X509

@testable import Access

struct AccessFilesTests {
    private let files = FakeFiles()
    private static let old = "admin a old-token-012345678\n"
    private static let new = "admin a new-token-012345678\n"

    private func tokens() throws -> AccessFiles {
        files["tokens"] = Self.old
        return try files.open { $0.tokenFile = "tokens" }
    }

    private func put(_ authority: TestAuthority, _ name: String) throws {
        let server = try authority.issue(try DistinguishedName { CommonName(name) })
        files["cert"] = try server.certificate.pem
        files["key"] = try server.key.pem
    }

    private func tls(clientCA: Bool = false) throws -> AccessFiles {
        try files.open {
            $0.certificate = "cert"
            $0.key = "key"
            if clientCA { $0.clientCA = "ca" }
        }
    }

    @Test func anUnchangedFileIsNoNews() throws {
        let opened = try tokens()
        #expect(opened.reload() == [])
        #expect(opened.reload() == [])
    }

    @Test func aChangedFileIsInForce() throws {
        let opened = try tokens()
        files["tokens"] = Self.new
        #expect(opened.reload() == [.reloaded(["tokens"])])
        #expect(opened.tokens?.entry(of: "new-token-012345678")?.name == "a")
        #expect(opened.tokens?.entry(of: "old-token-012345678") == nil)
        #expect(opened.reload() == [])
    }

    @Test(arguments: ["", "admin a", "# all gone\n"])
    func aBrokenFileChangesNothingAndIsToldOnce(broken: String) throws {
        let opened = try tokens()
        files["tokens"] = broken
        let changes = opened.reload()
        #expect(changes.count == 1)
        guard case .failed(let sentence) = changes.first else {
            Issue.record("\(changes)")
            return
        }
        #expect(sentence.hasPrefix("--token-file tokens: "))
        #expect(opened.faults == [sentence])
        #expect(opened.reload() == [])
        #expect(opened.tokens?.entry(of: "old-token-012345678") != nil)
        files["tokens"] = Self.new
        #expect(opened.reload() == [.reloaded(["tokens"])])
        #expect(opened.faults == [])
    }

    @Test func aFileThatIsGoneAndComesBackAsItWasIsWellAgain() throws {
        let opened = try tokens()
        files["tokens"] = nil
        #expect(
            opened.reload() == [.failed("--token-file tokens: No such file or directory")])
        #expect(opened.reload() == [])
        #expect(opened.tokens?.entry(of: "old-token-012345678") != nil)
        files["tokens"] = Self.old
        #expect(opened.reload() == [.reloaded(["tokens"])])
        #expect(opened.faults == [])
    }

    @Test func aFileThatOthersCanReadIsWarnedOfOnce() throws {
        files["tokens"] = Self.old
        files.letOthersRead("tokens")
        let opened = try files.open { $0.tokenFile = "tokens" }
        let warning = AccessFiles.Change.warning(
            "--token-file tokens: others can read it: chmod 600, or write sha256: digests")
        #expect(opened.reload() == [warning])
        #expect(opened.reload() == [])
        files["tokens"] = Self.new
        files.letOthersRead("tokens")
        #expect(opened.reload() == [.reloaded(["tokens"])])
    }

    @Test func digestsMayBeReadByAll() throws {
        files["tokens"] = "read a sha256:" + String(repeating: "ab", count: 32)
        files.letOthersRead("tokens")
        #expect(try files.open { $0.tokenFile = "tokens" }.reload() == [])
    }

    @Test func certificateAndKeyChangeTogether() throws {
        let authority = try TestAuthority()
        try put(authority, "first")
        let opened = try tls()
        let first = opened.tls?.chain
        let oldKey = files["key"]
        try put(authority, "second")
        let newKey = files["key"]
        files["key"] = oldKey
        #expect(
            opened.reload() == [.failed("--tls-key key: it is not the key of the certificate")])
        #expect(opened.tls?.chain == first)
        files["key"] = newKey
        #expect(opened.reload() == [.reloaded(["cert", "key"])])
        #expect(opened.tls?.chain != first)
    }

    @Test func whatIsNoCertificateOrKeyIsNamed() throws {
        let authority = try TestAuthority()
        try put(authority, "server")
        files["ca"] = "nothing"
        #expect(throws: (any Error).self) { try tls(clientCA: true) }
        do {
            _ = try tls(clientCA: true)
        } catch {
            #expect("\(error)" == "--client-ca ca: it holds no certificates in PEM")
        }
        files["key"] = "secret nonsense"
        do {
            _ = try tls()
            Issue.record("was taken")
        } catch {
            #expect(
                "\(error)"
                    == "--tls-key key: it holds no private key in PEM that opens without a "
                    + "passphrase")
        }
        files["cert"] = nil
        do {
            _ = try tls()
            Issue.record("was taken")
        } catch {
            #expect("\(error)" == "--tls-cert cert: No such file or directory")
        }
    }
}

import Testing

@testable import Access

/// How other instances are known.
struct PeerTokensTests {
    private func problem(_ text: String) -> String {
        do throws(TokenFile.Invalid) {
            _ = try PeerTokens(parsing: Array(text.utf8))
            return "none"
        } catch {
            return error.description
        }
    }

    @Test func theFirstIsSentAndEachIsAccepted() throws {
        let tokens = try PeerTokens(
            parsing: Array("# shared\n\nnew-token-01234567\n  old-token-01234567\n".utf8))
        #expect(tokens.secret == "new-token-01234567")
        #expect(tokens.accepts("new-token-01234567"))
        #expect(tokens.accepts("old-token-01234567"))
        #expect(!tokens.accepts("old-token-0123456"))
        #expect(!tokens.accepts(""))
    }

    @Test func aFileThatIsWrongSaysWhere() {
        #expect(problem("") == "it holds no token")
        #expect(
            problem("# a\nshort")
                == "line 2: a token has 16 to 1024 characters; this one has 5")
        #expect(problem("a b") == "line 1: a line has one token and nothing else")
        #expect(problem("admin-admin-admin\u{e4}").hasPrefix("line 1: a token has visible"))
        let many = (0..<9).map { "token-number-0000\($0)" }.joined(separator: "\n")
        #expect(problem(many) == "it holds 9 tokens: at most 8 are read")
    }

    private func control(
        _ peers: PeerAdmission, _ configure: (inout AccessFiles.Paths) -> Void = { _ in }
    ) throws -> AccessControl {
        let files = FakeFiles()
        files["peers"] = "peer-token-0123456\n"
        files["tokens"] = "admin deploy admin-token-0123456\n"
        return AccessControl(
            files: try files.open(configure), audit: AuditLog(logger: LogLines().logger),
            peers: peers)
    }

    @Test func aTokenMakesAPeer() throws {
        let control = try control(.token) { $0.peerTokenFile = "peers" }
        let here = "127.0.0.1:9"
        #expect(control.isPeer(authorization: "Bearer peer-token-0123456", address: "h:1"))
        #expect(!control.isPeer(authorization: "Bearer peer-token-0123457", address: here))
        #expect(!control.isPeer(authorization: "Basic peer-token-0123456", address: here))
        #expect(!control.isPeer(authorization: nil, address: here))
    }

    @Test func withoutATokenThisMachineDoesWhereEverybodyMayDoEverything() throws {
        let open = try control(.loopback)
        for address in ["127.0.0.1:9", "127.9.9.9:1", "[::1]:9", "[::ffff:127.0.0.1]:9"] {
            #expect(open.isPeer(authorization: nil, address: address), "\(address)")
        }
        for address in ["10.0.0.1:9", "[::2]:1", "128.0.0.1:1", "unix:x", ""] {
            #expect(!open.isPeer(authorization: nil, address: address), "\(address)")
        }
        let guarded = try control(.loopback) { $0.tokenFile = "tokens" }
        #expect(!guarded.isPeer(authorization: nil, address: "127.0.0.1:9"))
        #expect(!(try control(.none)).isPeer(authorization: nil, address: "127.0.0.1:9"))
    }

    @Test func nobodyElseMayCallWhatIsForPeers() throws {
        for control in [try control(.loopback), try control(.token) { $0.tokenFile = "tokens" }] {
            let decision = control.admit(
                AccessRequest(
                    method: "wsm.v1.Peer/Deliver",
                    authorization: "Bearer admin-token-0123456", peerCertificate: nil,
                    address: "127.0.0.1:1"))
            guard case .permissionDenied = decision else {
                Issue.record("\(decision)")
                continue
            }
        }
    }

    @Test func aNewTokenIsTakenOver() throws {
        let files = FakeFiles()
        files["peers"] = "peer-token-0123456\n"
        let access = try files.open { $0.peerTokenFile = "peers" }
        files["peers"] = "next-token-0123456\npeer-token-0123456\n"
        #expect(access.reload() == [.reloaded(["peers"])])
        #expect(access.peerTokens?.secret == "next-token-0123456")
        files["peers"] = "bad"
        #expect(access.faults.isEmpty)
        _ = access.reload()
        #expect(access.peerTokens?.secret == "next-token-0123456")
        #expect(access.faults.count == 1)
    }
}

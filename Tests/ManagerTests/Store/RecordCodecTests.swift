import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

@Suite struct RecordCodecTests {
    /// Text with everything that needs an escape.
    private static let nasty = ["", "a\"b\\c", "line\nfeed", "ümlaut 緑 🟢", "\u{1}\u{7F}", "null"]

    private static func text(_ generator: inout SplitMix64) -> String {
        nasty.randomElement(using: &generator) ?? ""
    }

    private static func map(_ generator: inout SplitMix64) -> [String: String] {
        var map: [String: String] = [:]
        for number in 0..<Int.random(in: 0...3, using: &generator) {
            map["key\(number)\(text(&generator))"] = text(&generator)
        }
        return map
    }

    private static func time(_ generator: inout SplitMix64) -> WallTime {
        WallTime(
            nanosecondsSinceEpoch: .random(in: 0...4_000_000_000_000_000_000, using: &generator))
    }

    private static func spec(_ generator: inout SplitMix64) -> ConnectionSpec {
        var spec = ConnectionSpec(url: "wss://example.test:8443/feed?x=\(generator.next())")
        spec.topic = generator.oneIn(2) ? "trades.btc" : nil
        spec.autoReconnect = generator.oneIn(2)
        spec.headers = ["X-One": .literal("v"), "X-Two": .secret(.environment("WSM_SECRET_T"))]
        spec.subprotocols = ["v2", "v1"]
        spec.onOpen = [
            .text(.literal(#"{"op":"subscribe"}"#)), .base64(.literal("AAEC")),
            .text(.secret(.file("a/b"))),
        ]
        spec.keepalive.pingInterval = .milliseconds(
            Int64.random(in: 100...3_600_000, using: &generator))
        spec.maxMessageSize = Int.random(in: 1...(8 << 20), using: &generator)
        spec.buffer.overflow =
            ConnectionSpec.Overflow.allCases.randomElement(using: &generator) ?? .block
        spec.correlation.mode = .next
        spec.correlation.match = .pathEquals(path: "type", value: .string("reply"))
        spec.tls.ca = .secret(.file("ca.pem"))
        spec.tls.minVersion = .v13
        return spec
    }

    private static func status(_ generator: inout SplitMix64) -> StoredStatus {
        var status = StoredStatus(
            phase: Phase.allCases.randomElement(using: &generator) ?? .pending,
            attempt: Int.random(in: 0...1_000_000, using: &generator),
            published: UInt64.random(in: 0...UInt64(Int.max), using: &generator))
        if generator.oneIn(2) { status.connectedAt = time(&generator) }
        if generator.oneIn(2) {
            status.lastFailure = LinkFailure(
                failureClass: FailureClass.allCases.randomElement(using: &generator) ?? .policy,
                code: "http503", message: text(&generator), at: time(&generator))
        }
        if generator.oneIn(2) {
            status.lastClose = LinkClose(
                code: .random(in: 1_000...4_999, using: &generator), reason: text(&generator),
                by: .transport, at: time(&generator))
        }
        return status
    }

    /// `nil` is what a record says that does not tell them.
    private static func managers(_ generator: inout SplitMix64) -> FieldManagers? {
        if generator.oneIn(3) { return nil }
        let one = FieldOwner(manager: "ci", since: time(&generator))
        if generator.oneIn(2) { return FieldManagers(sole: one) }
        return FieldManagers(shares: [
            .init(owner: one, fields: ["url", "metadata.labels[ü]"]),
            .init(owner: .init(manager: "wsm-apply", since: someTime), fields: ["topic", "url"]),
        ])
    }

    private static func connection(_ generator: inout SplitMix64) -> ConnectionRecord {
        var desired = DesiredConnection(
            name: "a.b-c", uid: .random(using: &generator), createdAt: time(&generator),
            keeper: generator.oneIn(2) ? .grpc : .applySet("team.a"), spec: spec(&generator),
            declared: ["url", "topic", "keepalive.pingInterval"], labels: map(&generator),
            annotations: map(&generator),
            connectionSet: generator.oneIn(2) ? "set.a" : nil)
        desired.generation = .random(in: 1...Int64(Int.max), using: &generator)
        desired.dialRevision = .random(in: 1...1_000, using: &generator)
        desired.spentDialRevision = .random(in: 0...1_000, using: &generator)
        desired.overlay.topic = generator.oneIn(2) ? "by.call" : nil
        desired.overlay.labels = map(&generator)
        if generator.oneIn(2) {
            desired.overlay.setAt = ["topic": time(&generator), "metadata.labels[k]": someTime]
        }
        desired.managers = managers(&generator) ?? desired.managers
        desired.isProvisional = generator.oneIn(2)
        return ConnectionRecord(
            epoch: .random(in: 0...UInt64(Int.max), using: &generator), desired: desired,
            observed: generator.oneIn(2) ? status(&generator) : nil)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func aConnectionComesBackAsItWas(_ seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let record = Self.connection(&generator)
        let bytes = RecordCodec.encode(record)
        #expect(try RecordCodec.decodeConnection(bytes, key: "k") == record, "seed \(seed)")
        #expect(!RecordCodec.isTombstone(bytes))
        #expect(RecordCodec.encode(record) == bytes, "the same record is the same bytes")
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func setsComeBackAsTheyWere(_ seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let set = ConnectionSetRecord(
            epoch: 7, name: "s", uid: "u-1", generation: 3, createdAt: Self.time(&generator),
            keeper: .applySet("x"), labels: Self.map(&generator),
            annotations: Self.map(&generator), canonical: Array(#"{"a":"ü"}"#.utf8), digest: "d",
            members: ["a", "b"],
            managers: [
                .init(manager: "ci", since: Self.time(&generator)),
                .init(manager: "ü", since: someTime),
            ])
        #expect(
            try RecordCodec.decodeConnectionSet(RecordCodec.encode(set), key: "k") == set)
        var apply = ApplySetRecord(epoch: 7, name: "s", uid: "u-2")
        apply.connections = ["b", "a"]
        apply.connectionSets = ["s"]
        for number in 1...3 {
            apply.append(
                .init(
                    number: Int64(number), digest: "d", by: Self.text(&generator),
                    at: Self.time(&generator), summary: Self.text(&generator),
                    content: number == 2 ? .init(pages: 3, bytes: 300_000) : nil))
        }
        apply.dropped = [4, 1]
        #expect(try RecordCodec.decodeApplySet(RecordCodec.encode(apply), key: "k") == apply)
    }

    /// As written before managers and manifests of revisions were kept.
    @Test func olderRecordsAreRead() throws {
        let record = try RecordCodec.decodeConnection(
            Array(
                #"{"spec":{"url":"ws://h/","topic":"t"},"v":1,"kind":"live","shardEpoch":1,"#.utf8)
                + Array(
                    #""name":"a","uid":"\#(ConnectionUID.sample("a").rawValue)","generation":2,"#
                        .utf8)
                + Array(#""dialRevision":1,"spentDialRevision":0,"createdAt":5,"keeper":"#.utf8)
                + Array(#""set/x","declared":["topic","url"],"topic":"called"}"#.utf8), key: "k")
        #expect(
            record.desired.managers
                == FieldManagers(
                    sole: .init(
                        manager: "wsm-apply", since: WallTime(nanosecondsSinceEpoch: 5))))
        #expect(record.desired.overlay.setAt.isEmpty)
        #expect(record.desired.overlayOwner(of: "topic").since == record.desired.createdAt)
        let set = try RecordCodec.decodeApplySet(
            Array(
                (#"{"v":1,"kind":"live","shardEpoch":1,"name":"x","uid":"u","connections":["a"],"#
                    + #""connectionSets":[],"history":[{"revision":1,"digest":"d","by":"b","#
                    + #""at":7,"summary":"s"}]}"#).utf8), key: "k")
        #expect(set.history.map(\.content) == [nil] && set.dropped.isEmpty)
    }

    @Test func headersPagesAndTombstonesComeBack() throws {
        let header = try RecordCodec.decodeHeader(
            RecordCodec.header(epoch: 9, pages: 3), key: "k")
        #expect(header.epoch == 9 && header.pages == 3)
        let names = ["a", "set/b", "connset/c"]
        #expect(
            try RecordCodec.decodePage(RecordCodec.page(epoch: 9, entries: names), key: "k")
                == names)
        #expect(RecordCodec.isTombstone(RecordCodec.tombstone(epoch: 9)))
        try RecordCodec.checkMeta(RecordCodec.meta())
        let key = RevisionKey(set: "s", revision: 4, page: 0)
        let text = Self.nasty.joined()
        #expect(
            try RecordCodec.decodeRevisionPage(
                RecordCodec.revisionPage(key, epoch: 9, text: text), key: key) == text)
    }

    /// The stores behind a sidecar take no larger value.
    @Test func aPageOfARevisionIsBelow256KiB() throws {
        let key = RevisionKey(
            set: String(repeating: "s", count: 253), revision: .max, page: RevisionKey.maxPages)
        let worst = String(repeating: #"""#, count: RevisionKey.pageBytes)
        #expect(RecordCodec.revisionPage(key, epoch: .max, text: worst).count <= 256 << 10)
    }

    @Test func everyKindRefusesAnotherVersionWithASentence() {
        var generator = SplitMix64(seed: 1)
        let record = Self.connection(&generator)
        let written: [(String, [UInt8], @Sendable ([UInt8]) throws -> Void)] = [
            ("meta", RecordCodec.meta(), { try RecordCodec.checkMeta($0) }),
            (
                "header", RecordCodec.header(epoch: 1, pages: 1),
                { _ = try RecordCodec.decodeHeader($0, key: "k") }
            ),
            (
                "page", RecordCodec.page(epoch: 1, entries: []),
                { _ = try RecordCodec.decodePage($0, key: "k") }
            ),
            (
                "connection", RecordCodec.encode(record),
                { _ = try RecordCodec.decodeConnection($0, key: "k") }
            ),
            (
                "set", RecordCodec.encode(ApplySetRecord(epoch: 1, name: "s", uid: "u")),
                { _ = try RecordCodec.decodeApplySet($0, key: "k") }
            ),
        ]
        for (what, bytes, decode) in written {
            let newer = String(decoding: bytes, as: UTF8.self)
                .split(separator: #""v":1"#, omittingEmptySubsequences: false)
                .joined(separator: #""v":2"#)
            do {
                try decode(Array(newer.utf8))
                Issue.record("\(what) of version 2 was read")
            } catch {
                #expect("\(error)".contains("version"), "\(what): \(error)")
                #expect("\(error)".contains("2"), "\(what): \(error)")
            }
        }
    }

    @Test(arguments: [
        "", "{", "[]", "null", #"{"v":1}"#, #"{"v":1,"kind":"live","spec":{}}"#,
        #"{"v":1,"name":3}"#, "\u{0}",
    ])
    func whatIsNoRecordIsRefusedAndNamed(_ text: String) {
        let bytes = Array(text.utf8)
        for decode: ([UInt8]) throws -> Void in [
            { _ = try RecordCodec.decodeConnection($0, key: "wsm/conn/x") },
            { _ = try RecordCodec.decodeConnectionSet($0, key: "wsm/conn/x") },
            { _ = try RecordCodec.decodeApplySet($0, key: "wsm/conn/x") },
            { _ = try RecordCodec.decodePage($0, key: "wsm/conn/x") },
            { _ = try RecordCodec.decodeHeader($0, key: "wsm/conn/x") },
        ] {
            do {
                try decode(bytes)
                Issue.record("\(text) was read")
            } catch {
                #expect("\(error)".contains("wsm/conn/x"), "\(error)")
            }
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func damagedBytesNeverTrap(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var bytes = RecordCodec.encode(Self.connection(&generator))
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            if generator.oneIn(2) {
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
            } else {
                bytes.removeSubrange(index...)
                if bytes.isEmpty { break }
            }
        }
        _ = try? RecordCodec.decodeConnection(bytes, key: "k")
    }
}

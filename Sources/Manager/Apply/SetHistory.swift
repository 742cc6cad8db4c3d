import ManagerCore
import Spec

/// What a revision of an apply set keeps: the manifests of the whole set as it then was, a
/// ConnectionSet unexpanded, as canonical JSON.
enum SetHistory {
    /// Adds a revision to a set, with the manifests of what it owns in the draft, and stores both.
    ///
    /// - Parameters:
    ///   - keepsManifests: `false` for a plan, whose draft is thrown away.
    ///   - pageBytes: of one page, at most ``RevisionKey/pageBytes``.
    static func append(
        to set: inout ApplySetRecord, by: String, at: WallTime, summary: String,
        keepsManifests: Bool = true, pageBytes: Int = RevisionKey.pageBytes,
        in draft: inout StoreDraft
    ) {
        let number = set.revision + 1
        var revision = ApplySetRecord.Revision(
            number: number, digest: "", by: by, at: at, summary: summary)
        if keepsManifests {
            let documents = documents(of: set, in: draft)
            var digest = ContentDigest()
            for document in documents { digest.add(document) }
            revision.digest = digest.finalize()
            let bytes = documents.reduce(0) { $0 + $1.count + 1 }
            if bytes <= ApplySetRecord.keptBytes {
                revision.content = draft.put(
                    revision: number, digest: revision.digest, of: set.name,
                    pages: pages(documents, limit: pageBytes))
            }
        }
        set.append(revision)
        draft.put(set)
    }

    /// ConnectionSets first, each kind in the order of the names.
    private static func documents(
        of set: ApplySetRecord, in draft: StoreDraft
    ) -> [[UInt8]] {
        set.connectionSets.sorted().compactMap { draft.connectionSet($0)?.canonical }
            + set.connections.sorted().compactMap { name in
                draft.connection(name).map {
                    ManifestRenderer.json($0.desired.declaredManifest)
                }
            }
    }

    /// One document a line, cut into pages between two characters.
    static func pages(
        _ documents: [[UInt8]], limit: Int
    ) -> [String] {
        var text: [UInt8] = []
        text.reserveCapacity(documents.reduce(0) { $0 + $1.count + 1 })
        for document in documents {
            text += document
            text.append(UInt8(ascii: "\n"))
        }
        var pages: [String] = []
        var start = 0
        while start < text.count {
            var end = min(start + limit, text.count)
            while end < text.count, end > start + 1, text[end] & 0xC0 == 0x80 { end -= 1 }
            pages.append(String(decoding: text[start..<end], as: UTF8.self))
            start = end
        }
        return pages
    }

    /// The documents of a revision's text.
    ///
    /// - Returns: `nil` where they are not the ones whose digest the set's record has.
    static func documents(in text: String, digest: String) -> [[UInt8]]? {
        let documents = text.utf8.split(separator: UInt8(ascii: "\n")).map { Array($0) }
        var found = ContentDigest()
        for document in documents { found.add(document) }
        return found.finalize() == digest ? documents : nil
    }
}

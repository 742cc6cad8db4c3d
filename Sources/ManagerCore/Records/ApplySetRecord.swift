/// `wsm/set/<name>`: what one apply set owns, and what was done to it.
package struct ApplySetRecord: Sendable, Hashable {
    /// Revisions told of, so that the record's size has a bound: some 10 KiB.
    package static let longestHistory = 50
    /// Revisions that keep their manifests: weeks of a set that changes daily, and few enough that
    /// the store does not fill with copies.
    package static let keptRevisions = 20
    /// Bytes of all manifests that one set keeps: of a set of 10,000 single connections (3 MB) the
    /// last five revisions, of a ConnectionSet as large all twenty. The newest revision
    /// is kept if it fits at all.
    package static let keptBytes = 16 << 20

    package struct Revision: Sendable, Hashable {
        package var number: Int64
        /// Over the manifests of the whole set after it.
        package var digest: String
        package var by: String
        package var at: WallTime
        package var summary: String
        /// Its manifests, where they are kept.
        package var content: Content?

        package init(
            number: Int64, digest: String, by: String, at: WallTime, summary: String,
            content: Content? = nil
        ) {
            self.number = number
            self.digest = digest
            self.by = by
            self.at = at
            self.summary = summary
            self.content = content
        }
    }

    /// Where the manifests of a revision are: ``RevisionKey``, pages from 0 on.
    package struct Content: Sendable, Hashable {
        package var pages: Int
        /// Of all pages together.
        package var bytes: Int
        /// The keys of the pages tell the revision's digest.
        package var isUnderDigest: Bool

        package init(pages: Int, bytes: Int, isUnderDigest: Bool = false) {
            self.pages = pages
            self.bytes = bytes
            self.isUnderDigest = isUnderDigest
        }
    }

    package var epoch: UInt64
    package var name: String
    package var uid: String
    /// Names of the objects it owns, members of its ConnectionSets not among them.
    package var connections: Set<String> = []
    package var connectionSets: Set<String> = []
    /// Newest last.
    package var history: [Revision] = []
    /// Revisions whose manifests are let go, and whose pages may still be in the store.
    package var dropped: Set<Int64> = []

    package init(epoch: UInt64, name: String, uid: String) {
        self.epoch = epoch
        self.name = name
        self.uid = uid
    }

    package var revision: Int64 { history.last?.number ?? 0 }

    /// When one of certain authors first replaced the revision with this digest.
    ///
    /// - Returns: `nil` if none did, or the digest is not known.
    package func end(of digest: String, by isAuthor: (String) -> Bool) -> WallTime? {
        guard let last = history.lastIndex(where: { $0.digest == digest }) else { return nil }
        return history[(last + 1)...].first { isAuthor($0.by) }?.at
    }

    /// Adds a revision; the oldest manifests go where there are too many of them.
    package mutating func append(_ revision: Revision) {
        history.append(revision)
        if history.count > Self.longestHistory {
            let gone = history.count - Self.longestHistory
            for old in history.prefix(gone) where old.content != nil { dropped.insert(old.number) }
            history.removeFirst(gone)
        }
        var count = 0
        var bytes = 0
        for index in history.indices.reversed() {
            guard let content = history[index].content else { continue }
            count += 1
            bytes += content.bytes
            if count > Self.keptRevisions || bytes > Self.keptBytes {
                history[index].content = nil
                // One too large by itself was never written.
                if index != history.indices.last { dropped.insert(history[index].number) }
            }
        }
    }
}

/// A page of the manifests of one revision: `wsm/set/<name>/revision/<n>/<page>`, in a cluster
/// `wsm/set/<name>/revision/<n>-<digest>/<page>`.
///
/// Nothing but the set's record says that a page is of use, and that is written after its pages: so
/// a half-written revision is never offered.
package struct RevisionKey: Sendable, Hashable {
    /// Bytes of manifests on one page. In JSON they are at most doubled, and a page stays below
    /// 256 KiB, the least that the stores behind a sidecar take as one value.
    package static let pageBytes = 120 << 10
    /// Pages of the largest revision that is kept.
    package static let maxPages = ApplySetRecord.keptBytes / pageBytes + 1

    /// Of the digest, in a key: 64 bits.
    private static let digestDigits = 16

    package var set: String
    package var revision: Int64
    package var page: Int
    /// Of the revision: of two instances that make the same number at once, each finds its own.
    package var digest: String?

    package init(set: String, revision: Int64, page: Int, digest: String? = nil) {
        self.set = set
        self.revision = revision
        self.page = page
        self.digest = digest
    }

    package var storeKey: String {
        let form = digest.map { "-\($0.prefix(Self.digestDigits))" } ?? ""
        return "wsm/set/\(set)/revision/\(revision)\(form)/\(page)"
    }
}

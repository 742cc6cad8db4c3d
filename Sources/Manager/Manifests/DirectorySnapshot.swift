/// What one look at a manifest directory found: names and stamps, no contents.
///
/// Two looks with equal snapshots saw the same files in the same state.
package struct DirectorySnapshot: Sendable, Hashable {
    /// What tells a file from one that was changed or put in its place. The time of the last change
    /// of the inode is among it, so that neither a program that restores the time of modification
    /// nor a change of mode goes unseen.
    package struct Stamp: Sendable, Hashable {
        package var device: UInt64
        package var inode: UInt64
        /// In bytes.
        package var size: Int64
        /// Nanoseconds since 1970.
        package var modified: Int64
        package var changed: Int64

        package init(
            device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64
        ) {
            self.device = device
            self.inode = inode
            self.size = size
            self.modified = modified
            self.changed = changed
        }
    }

    package struct File: Sendable, Hashable {
        /// Below the directory, with `/` between the parts.
        package var path: String
        package var stamp: Stamp

        package init(path: String, stamp: Stamp) {
            self.path = path
            self.stamp = stamp
        }
    }

    /// Something that could not be looked at, so that nobody knows what it holds.
    package struct Problem: Sendable, Hashable {
        /// Empty for the directory itself.
        package var path: String
        package var sentence: String

        package init(path: String, sentence: String) {
            self.path = path
            self.sentence = sentence
        }
    }

    /// The manifest files in the order of their paths.
    package var files: [File]
    package var problems: [Problem]

    package init(files: [File] = [], problems: [Problem] = []) {
        self.files = files
        self.problems = problems
    }
}

/// The bounds of a manifest directory. A file has those of the manifest compiler.
package enum ManifestDirectoryLimits {
    /// Manifest files, as many as one apply may have documents.
    package static let maxFiles = 10_000
    /// Entries looked at, manifests or not: a directory of something else is a mistake, and each
    /// look costs time for every entry.
    package static let maxEntries = 100_000
    /// Bytes of all manifest files together, four times what an apply over the wire may have.
    package static let maxBytes = 256 << 20
    /// Bytes of one object as JSON, so that every object can be read over the API: gRPC messages have
    /// 4 MiB.
    package static let maxObjectBytes = 4 << 20
    /// Directories within each other: deeper is a loop, or a mistake.
    package static let maxDepth = 64
    /// Problems that a log line, an event and a check show; the rest is counted.
    package static let shownProblems = 10
    /// Characters of one shown problem.
    package static let shownLength = 400
}

package import Spec

/// What a settled directory means for its set.
package enum DirectoryVerdict: Sendable {
    /// The set is to be exactly this.
    case declared(DirectoryDeclaration)
    /// Nothing is to be changed.
    case refused(DirectoryRefusal)
}

/// All objects of a directory that compiled without an error.
package struct DirectoryDeclaration: Sendable {
    package var objects: [CompiledObject]
    /// `Kind/name` to the digest of its meaning: equal digests need no second apply.
    package var digests: [String: String]
    package var files: Int

    package init(objects: [CompiledObject], files: Int) {
        self.objects = objects
        self.files = files
        digests = [:]
        digests.reserveCapacity(objects.count)
        for object in objects {
            // What a manifest is compared against is no part of its digest.
            let version = object.metadata.resourceVersion.map { "@\($0)" } ?? ""
            digests["\(object.kind.rawValue)/\(object.metadata.name)"] = object.digest + version
        }
    }
}

/// Why a directory changes nothing. What was applied last stays in force.
package struct DirectoryRefusal: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// No manifest, or manifests without an object: more likely a volume that is not there than
        /// the wish to delete everything.
        case empty = "Empty"
        /// The directory, a file or a link cannot be read.
        case unreadable = "Unreadable"
        /// A manifest without a single character.
        case halfWritten = "HalfWritten"
        /// A manifest does not compile.
        case invalid = "Invalid"
        /// Beyond ``ManifestDirectoryLimits``.
        case tooLarge = "TooLarge"
        /// The state store did not take the change.
        case notCommitted = "NotCommitted"
        /// In a cluster: it is what a later revision of the set has replaced, and was there before
        /// that. Another instance has newer manifests.
        case superseded = "Superseded"
    }

    package var reason: Reason
    /// Each with its place, the first ``ManifestDirectoryLimits/shownProblems`` of them.
    package var problems: [String]
    /// All of them.
    package var problemCount: Int

    package init(_ reason: Reason, problems: [String]) {
        self.reason = reason
        self.problems = problems.shown
        problemCount = problems.count
    }

    /// One line for an operator.
    package var message: String {
        let first = problems.first ?? ""
        return problemCount > 1 ? "\(first) (and \(problemCount - 1) more)" : first
    }
}

extension [String] {
    /// As much as fits an event.
    package var shown: [String] {
        prefix(ManifestDirectoryLimits.shownProblems).map { line in
            line.count <= ManifestDirectoryLimits.shownLength
                ? line : line.prefix(ManifestDirectoryLimits.shownLength) + "…"
        }
    }
}

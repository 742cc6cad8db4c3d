package import ManagerCore

/// How it stands with the manifest directory: for the server's checks and for metrics.
package struct ManifestsReport: Sendable, Hashable {
    /// In the words of a check: `ok`, a CamelCase reason, and a sentence.
    package struct Check: Sendable, Hashable {
        package var isOK: Bool
        /// `Reading`, `Applied`, `Conflicts`, `Standby`, or one of ``DirectoryRefusal/Reason``.
        package var reason: String
        package var message: String

        package init(isOK: Bool, reason: String, message: String) {
            self.isOK = isOK
            self.reason = reason
            self.message = message
        }
    }

    package var check = Check(
        isOK: false, reason: "Reading", message: "the manifest directory has not been read yet")
    /// States of the directory that were put in force, and that were refused, since the start of the
    /// process; trying one again does not count.
    package var appliedTotal: UInt64 = 0
    package var refusedTotal: UInt64 = 0
    package var lastAppliedAt: WallTime?
    /// Objects of the last apply, and the revision of the set after it.
    package var objects = 0
    package var revision: Int64 = 0

    package init() {}

    mutating func applied(
        _ outcome: ApplyOutcome, _ declaration: DirectoryDeclaration, conflicts: [String],
        at time: WallTime
    ) {
        lastAppliedAt = time
        objects = declaration.objects.count
        revision = outcome.revision
        settled(files: declaration.files, conflicts: conflicts)
    }

    /// The directory says what is in force, with or without an apply.
    mutating func settled(files: Int, conflicts: [String]) {
        guard let first = conflicts.first else {
            check = Check(
                isOK: true, reason: "Applied",
                message: "\(objects) objects of \(files) files are in force, revision \(revision)")
            return
        }
        let more = conflicts.count > 1 ? " (and \(conflicts.count - 1) more)" : ""
        check = Check(isOK: false, reason: "Conflicts", message: first + more)
    }

    /// Another instance applies the directory.
    mutating func standsBy(_ owner: ShardOwner, set: String) {
        let message =
            if case .other(let instance, _, _) = owner {
                "\(instance) owns set \(set) and applies its manifests"
            } else {
                "no instance owns set \(set) at this moment"
            }
        check = Check(isOK: true, reason: "Standby", message: message)
    }

    mutating func refused(_ refusal: DirectoryRefusal) {
        check = Check(isOK: false, reason: refusal.reason.rawValue, message: refusal.message)
    }
}

extension ManifestsEvent.Counts {
    init(_ outcome: ApplyOutcome) {
        self.init()
        created = outcome.count(.created)
        configured = outcome.count(.configured)
        unchanged = outcome.count(.unchanged)
        pruned = outcome.count(.pruned)
        adopted = outcome.count(.adopted)
        conflicts = outcome.count(.conflict)
        protected = outcome.count(.protected)
    }
}

import Spec

/// The manifests of a directory as far as they are read, and what they mean together.
///
/// A file is compiled once for each stamp, so that an edit of one file among thousands costs one
/// file. Pure: reading is the caller's.
package struct ManifestAssembly: Sendable {
    private struct Entry: Sendable {
        var stamp: DirectorySnapshot.Stamp
        var content: Content
        /// Its last line has no end: it may be cut off.
        var isUnterminated: Bool
        /// It was part of what was applied, cut off or not.
        var isTaken = false
    }

    private enum Content: Sendable {
        case compiled(Compilation)
        /// Nothing but blanks.
        case blank
        /// The sentence says why not.
        case unreadable(String)
    }

    /// As the operator gave it; diagnostics begin with it.
    private let directory: String
    private var entries: [String: Entry] = [:]

    package init(directory: String) {
        self.directory = directory.hasSuffix("/") ? String(directory.dropLast()) : directory
    }

    // MARK: Reading

    /// The files whose present state has not been read.
    package func unread(in snapshot: DirectorySnapshot) -> [DirectorySnapshot.File] {
        snapshot.files.filter { entries[$0.path]?.stamp != $0.stamp }
    }

    /// Takes the content of a file in.
    package mutating func read(_ file: DirectorySnapshot.File, _ bytes: [UInt8]) {
        let isBlank = bytes.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) }
        // What lacks its end is no JSON, and nothing at all is refused anyway.
        let isUnterminated =
            !isBlank && !file.path.hasSuffix(".json") && bytes.last != 0x0A
        let content: Content =
            isBlank
            ? .blank
            : .compiled(
                ManifestCompiler.compile([
                    ManifestSource(name: place(file.path), bytes: bytes)
                ]))
        entries[file.path] = Entry(
            stamp: file.stamp, content: content, isUnterminated: isUnterminated)
    }

    package mutating func unreadable(_ file: DirectorySnapshot.File, _ sentence: String) {
        entries[file.path] = Entry(
            stamp: file.stamp, content: .unreadable(sentence), isUnterminated: false)
    }

    /// Everything is to be read again.
    package mutating func forget() { entries = [:] }

    /// Files that could not be read are to be tried again.
    package mutating func forgetUnreadable() {
        entries = entries.filter { if case .unreadable = $0.value.content { false } else { true } }
    }

    // MARK: Meaning

    /// Whether a file that is new or changed may be cut off: it is better to wait.
    package func mayBeCutOff(_ snapshot: DirectorySnapshot) -> Bool {
        snapshot.files.contains { file in
            entries[file.path].map { $0.isUnterminated && !$0.isTaken } ?? false
        }
    }

    /// The snapshot was applied: its files are whole. Those that are gone are forgotten.
    package mutating func taken(_ snapshot: DirectorySnapshot) {
        var kept: [String: Entry] = [:]
        for file in snapshot.files {
            guard var entry = entries[file.path] else { continue }
            entry.isTaken = true
            kept[file.path] = entry
        }
        entries = kept
    }

    /// What the directory says. Every file of the snapshot has been read.
    package func verdict(on snapshot: DirectorySnapshot) -> DirectoryVerdict {
        guard snapshot.problems.isEmpty else {
            return .refused(
                DirectoryRefusal(
                    .unreadable,
                    problems: snapshot.problems.map { "\(place($0.path)): \($0.sentence)" }))
        }
        if let sentence = Self.excess(snapshot) {
            return .refused(
                DirectoryRefusal(.tooLarge, problems: ["\(directory): \(sentence)"]))
        }
        var findings = DirectoryFindings()
        for file in snapshot.files {
            switch entries[file.path]?.content {
            case .compiled(let compilation): findings.compiled(compilation)
            case .blank: findings.blank(place(file.path))
            case .unreadable(let sentence): findings.unreadable(place(file.path), sentence)
            case nil: findings.unreadable(place(file.path), "it was not read")
            }
        }
        return findings.verdict(directory: directory, files: snapshot.files.count)
    }

    private func place(_ path: String) -> String {
        path.isEmpty ? directory : "\(directory)/\(path)"
    }

    /// More than may be read.
    package static func excess(_ snapshot: DirectorySnapshot) -> String? {
        guard snapshot.files.count <= ManifestDirectoryLimits.maxFiles else {
            return "there are \(snapshot.files.count) manifests, and at most "
                + "\(ManifestDirectoryLimits.maxFiles) are taken"
        }
        var bytes: Int64 = 0
        for file in snapshot.files {
            let (sum, isOutside) = bytes.addingReportingOverflow(max(0, file.stamp.size))
            bytes = isOutside ? .max : sum
        }
        guard bytes <= ManifestDirectoryLimits.maxBytes else {
            return "the manifests have \(bytes) bytes, and at most "
                + "\(SizeText.format(ManifestDirectoryLimits.maxBytes)) are taken"
        }
        return nil
    }
}

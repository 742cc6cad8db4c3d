import Spec

/// What the files of a directory say, gathered one by one.
struct DirectoryFindings {
    private var objects: [CompiledObject] = []
    private var unreadable: [String] = []
    private var blank: [String] = []
    private var errors: [String] = []
    private var large: [String] = []
    /// Each file was compiled by itself: names are unique over all of them.
    private var places: [String: SourcePosition] = [:]

    mutating func unreadable(_ place: String, _ sentence: String) {
        unreadable.append("\(place): \(sentence)")
    }

    mutating func blank(_ place: String) {
        blank.append("\(place): the file is empty; remove it if nothing is meant")
    }

    mutating func compiled(_ compilation: Compilation) {
        for diagnostic in compilation.diagnostics where diagnostic.severity == .error {
            errors.append(diagnostic.description)
        }
        for object in compilation.objects {
            claimNames(of: object)
            if object.canonical.count > ManifestDirectoryLimits.maxObjectBytes {
                large.append(
                    "\(object.position): \(object.kind.rawValue) \(object.metadata.name) has "
                        + "\(object.canonical.count) bytes as JSON, and at most "
                        + "\(SizeText.format(ManifestDirectoryLimits.maxObjectBytes)) are taken")
            }
        }
        objects += compilation.objects
    }

    private mutating func claimNames(of object: CompiledObject) {
        var names = object.connections.map { "Connection named \($0.metadata.name)" }
        if object.kind == .connectionSet {
            names.append("ConnectionSet named \(object.metadata.name)")
        }
        for name in names {
            if let other = places[name] {
                errors.append("\(object.position): a \(name) is there already, at \(other)")
            } else {
                places[name] = object.position
            }
        }
    }

    /// All of it is in force, or nothing.
    func verdict(directory: String, files: Int) -> DirectoryVerdict {
        let grounds: [(DirectoryRefusal.Reason, [String])] = [
            (.unreadable, unreadable), (.halfWritten, blank), (.invalid, errors),
            (.tooLarge, large),
        ]
        for (reason, problems) in grounds where !problems.isEmpty {
            return .refused(DirectoryRefusal(reason, problems: problems))
        }
        guard !objects.isEmpty else {
            let sentence = "there is no object in any *.yaml, *.yml or *.json"
            return .refused(DirectoryRefusal(.empty, problems: ["\(directory): \(sentence)"]))
        }
        return .declared(DirectoryDeclaration(objects: objects, files: files))
    }
}

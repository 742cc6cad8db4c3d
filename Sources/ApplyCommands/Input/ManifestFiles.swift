internal import FoundationEssentials
internal import Spec

/// Finds the manifest files that `-f` names, in an order that does not depend on the file system.
enum ManifestFiles {
    static let extensions = [".yaml", ".yml", ".json"]
    /// Directories nested deeper are refused: it is a loop, or a mistake.
    static let maxDepth = 64

    /// The files behind the arguments: a file stands for itself whatever its name, a directory for
    /// the manifests below it, sorted by name; hidden entries are skipped. `-` stays.
    ///
    /// - Throws: A ``CommandFailure`` for a path that is not there or cannot be read.
    static func find(_ arguments: [String]) throws -> [String] {
        var found: [String] = []
        for argument in arguments {
            if argument == "-" {
                guard !found.contains("-") else {
                    throw CommandFailure.usage("-f - can be given once only")
                }
                found.append("-")
                continue
            }
            switch SystemCalls.entry(at: argument) {
            case .file, .other:
                found.append(argument)
            case .directory:
                try collect(argument, above: [], into: &found)
            case .missing(let error):
                throw CommandFailure(.invalid, "\(argument): \(SystemCalls.text(error))")
            }
        }
        return found
    }

    /// - Parameter above: The directories on the way here, so that a link to one of them is left
    ///   alone.
    private static func collect(
        _ directory: String, above: [SystemCalls.Entry], into found: inout [String]
    ) throws {
        let entry = SystemCalls.entry(at: directory)
        guard !above.contains(entry) else { return }
        guard above.count < maxDepth else {
            throw CommandFailure(.invalid, "\(directory): directories are nested too deep")
        }
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        for name in try names(in: directory) where !name.hasPrefix(".") {
            let path = prefix + name
            switch SystemCalls.entry(at: path) {
            case .directory:
                try collect(path, above: above + [entry], into: &found)
            case .file where extensions.contains { name.hasSuffix($0) }:
                found.append(path)
            case .missing(let error) where extensions.contains { name.hasSuffix($0) }:
                throw CommandFailure(.invalid, "\(path): \(SystemCalls.text(error))")
            default:
                continue
            }
        }
    }

    private static func names(in directory: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch {
            throw CommandFailure(.invalid, "\(directory): the directory cannot be read")
        }
    }
}

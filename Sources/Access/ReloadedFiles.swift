import Crypto

/// A value made of one or more files that are read together, and the last good one of it.
struct ReloadedFiles<Value: Sendable>: Sendable {
    typealias Read = @Sendable (String) throws(FileProblem) -> FileContent
    typealias Make =
        @Sendable ([FileContent]) throws(AccessFileError) -> (Value, warnings: [String])

    private let files: [(flag: String, path: String)]
    private let make: Make
    private(set) var value: Value
    /// Why the newest content is not in force; `nil` when it is.
    private(set) var fault: String?
    /// Of the files as they were last tried, good or not. A digest: keys are not held twice.
    private var tried: [SHA256Digest]?
    private var warned: [String] = []

    /// - Throws: ``AccessFileError`` with flag and path.
    init(
        _ files: [(flag: String, path: String)], read: Read, make: @escaping Make
    ) throws(AccessFileError) {
        self.files = files
        self.make = make
        let contents = try Self.contents(of: files, read)
        let (value, warnings) = try Self.placed(files) { () throws(AccessFileError) in
            try make(contents)
        }
        self.value = value
        tried = contents.map { SHA256.hash(data: $0.bytes) }
        warned = warnings
    }

    private var place: String {
        files.map { "\($0.flag) \($0.path)" }.joined(separator: ", ")
    }

    var warnings: [AccessFiles.Change] { warned.map { .warning("\(place): \($0)") } }

    /// Reads again; makes the value anew where a byte has changed.
    mutating func reload(_ read: Read) -> [AccessFiles.Change] {
        do throws(AccessFileError) {
            let contents = try Self.contents(of: files, read)
            let digests = contents.map { SHA256.hash(data: $0.bytes) }
            if digests == tried { return [] }
            tried = digests
            let make = make
            let (value, warnings) = try Self.placed(files) { () throws(AccessFileError) in
                try make(contents)
            }
            self.value = value
            fault = nil
            let news = warnings.filter { !warned.contains($0) }
            warned = warnings
            return [.reloaded(files.map(\.path))] + news.map { .warning("\(place): \($0)") }
        } catch {
            let sentence = "\(error)"
            // A file that could not be read is tried again even if it comes back unchanged.
            if error.isUnreadable { tried = nil }
            guard sentence != fault else { return [] }
            fault = sentence
            return [.failed(sentence)]
        }
    }

    private static func contents(
        of files: [(flag: String, path: String)], _ read: Read
    ) throws(AccessFileError) -> [FileContent] {
        var contents: [FileContent] = []
        for (index, file) in files.enumerated() {
            do throws(FileProblem) {
                contents.append(try read(file.path))
            } catch {
                var failure = AccessFileError(file: index, message: error.message)
                failure.isUnreadable = true
                failure.place = "\(file.flag) \(file.path)"
                throw failure
            }
        }
        return contents
    }

    private static func placed<Result>(
        _ files: [(flag: String, path: String)], _ body: () throws(AccessFileError) -> Result
    ) throws(AccessFileError) -> Result {
        do throws(AccessFileError) {
            return try body()
        } catch {
            var placed = error
            let file = files[min(error.file, files.count - 1)]
            placed.place = "\(file.flag) \(file.path)"
            throw placed
        }
    }
}

/// The bounds of one manifest file: what keeps a hostile file at milliseconds.
package enum ManifestLimits {
    /// Bytes of a file.
    package static let maxBytes = 16 << 20
    /// Bytes of a stored or wire document: a set grows when its rows are written as JSON.
    package static let maxWireBytes = 64 << 20
    /// Mappings and sequences within each other.
    package static let maxDepth = 64
    /// Values and keys of a document, aliases counted as what they stand for.
    package static let maxNodes = 100_000
    /// The same for a document of kind `ConnectionSet`: 100,000 rows of a dozen variables.
    package static let maxSetNodes = 2_500_000
    /// Nodes that the aliases of a whole file may add.
    package static let maxAliasNodes = 100_000
    package static let maxDocuments = 10_000
    /// Members of a `ConnectionSet`.
    package static let maxMembers = 100_000
    /// Variables of a `ConnectionSet`.
    package static let maxVariables = 64
    /// Bytes of text that filling in a `ConnectionSet`'s template may make, all members together.
    package static let maxExpandedBytes = 128 << 20
    /// `%TAG` lines; the YAML library compares each with all others.
    static let maxTagDirectives = 64
    /// Diagnostics of a source; the rest is only counted.
    static let maxDiagnostics = 1_000
    /// Bytes of a diagnostic's sentence, and of its path; what they quote may be megabytes.
    static let maxSentenceBytes = 1_000
    static let maxPathBytes = 400
    /// Members of a set whose errors are told in full.
    static let maxMemberReports = 20
}

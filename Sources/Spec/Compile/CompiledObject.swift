/// One document that compiled without an error.
package struct CompiledObject: Sendable {
    package enum Body: Sendable {
        case connection(ConnectionManifest)
        case connectionSet(ConnectionSetManifest)
    }

    package let kind: ObjectKind
    package let metadata: Metadata
    /// The document's first token.
    package let position: SourcePosition
    /// What the author wrote in canonical JSON: sorted keys, no defaults, one spelling of each value,
    /// nothing that only the server writes but a given `resourceVersion`. Compiles to itself.
    package let canonical: [UInt8]
    /// SHA-256, in hex, of the resolved meaning: kind, name, labels, annotations and every effective
    /// field, of all members for a set. Two spellings of one meaning have one digest.
    package let digest: String
    package let body: Body

    /// The connections this object declares: itself, or its members.
    package var connections: [ConnectionManifest] {
        switch body {
        case .connection(let manifest): [manifest]
        case .connectionSet(let set): set.members
        }
    }
}

/// What came out of compiling one or more sources.
package struct Compilation: Sendable {
    /// The documents without errors, in the order of the sources.
    package let objects: [CompiledObject]
    /// Everything there is to say, in the order of the sources.
    package let diagnostics: [Diagnostic]

    package init(objects: [CompiledObject], diagnostics: [Diagnostic]) {
        self.objects = objects
        self.diagnostics = diagnostics
    }

    package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

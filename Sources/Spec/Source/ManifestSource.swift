/// One manifest file, or what came in on the standard input.
package struct ManifestSource: Sendable {
    /// What diagnostics print; `-` prints as `<stdin>`.
    package let name: String
    package let bytes: [UInt8]

    package init(name: String, bytes: [UInt8]) {
        self.name = name == "-" ? "<stdin>" : name
        self.bytes = bytes
    }
}

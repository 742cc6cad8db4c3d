/// Reads the documents of a YAML stream one after the other.
///
/// Never recurses, never builds more than the limits allow, and goes on after what it can name.
struct YAMLReader: ~Copyable {
    private var events: YAMLEvents
    private let mayBeSet: Bool
    private var documentCount = 0
    private var aliasAllowance = ManifestLimits.maxAliasNodes
    private var isDone = false

    /// One document: its tree and what was found while reading it.
    struct Document {
        /// `nil`: the source ends here, with a finding that says why or without one.
        var root: Node?
        var findings: [NodeBuilder.Finding]
    }

    init?(_ bytes: UnsafeBufferPointer<UInt8>, text: ArraySlice<UInt8>) {
        guard !bytes.isEmpty, let events = YAMLEvents(bytes, text: text) else { return nil }
        self.events = events
        mayBeSet = TextEncoding.mentionsSet(bytes)
    }

    /// The next document that is not empty; `nil` at the end of the stream.
    mutating func next() -> Document? {
        while !isDone {
            var builder = NodeBuilder(mayBeSet: mayBeSet, aliasAllowance: aliasAllowance)
            do {
                guard try readDocument(into: &builder) else { return nil }
            } catch {
                isDone = true
                let fault = NodeBuilder.Finding(mark: error.mark, path: "", message: error.message)
                return Document(root: nil, findings: builder.findings + [fault])
            }
            aliasAllowance -= builder.aliasNodeCount
            guard let root = builder.root, !Self.isEmpty(root) else { continue }
            return Document(root: root, findings: builder.findings)
        }
        return nil
    }

    private static func isEmpty(_ root: Node) -> Bool {
        guard case .scalar(let scalar) = root.content else { return false }
        return scalar.text.isEmpty && !scalar.isString
    }

    /// - Returns: `false` at the end of the stream.
    private mutating func readDocument(
        into builder: inout NodeBuilder
    ) throws(NodeBuilder.Abort) -> Bool {
        while true {
            let (event, mark) = try nextEvent()
            switch event {
            case .streamEnd:
                isDone = true
                return false
            case .documentStart:
                documentCount += 1
                guard documentCount <= ManifestLimits.maxDocuments else {
                    throw NodeBuilder.Abort(
                        mark: mark,
                        message: "the file has more than \(ManifestLimits.maxDocuments) documents")
                }
            case .documentEnd:
                try builder.finish()
                return true
            case .alias(let name):
                try builder.alias(name, at: mark)
            case .scalar(let scalar, let tag, let anchor):
                let typed = Self.resolve(scalar, tag: tag, at: mark, &builder)
                try builder.scalar(typed, at: mark, anchor: anchor)
            case .begin(let isMapping, let tag, let anchor):
                let expected = isMapping ? "map" : "seq"
                if let tag, tag != "!", tag != Self.corePrefix + expected {
                    builder.report(mark, Self.unknownTag(tag))
                }
                try builder.begin(isMapping: isMapping, at: mark, anchor: anchor)
            case .end:
                builder.end()
            }
        }
    }

    private mutating func nextEvent() throws(NodeBuilder.Abort) -> (YAMLEvents.Event, Mark) {
        do {
            return try events.next()
        } catch {
            throw NodeBuilder.Abort(mark: error.mark, message: "no valid YAML: \(error.message)")
        }
    }
}

extension YAMLReader {
    private static let corePrefix = "tag:yaml.org,2002:"

    /// Applies an explicit tag: only those of the core schema exist, and the text must suit them.
    private static func resolve(
        _ scalar: Scalar, tag: String?, at mark: Mark, _ builder: inout NodeBuilder
    ) -> Scalar {
        guard let tag else { return scalar }
        if tag == "!" || tag == corePrefix + "str" { return .string(scalar.text) }
        let plain = Scalar.plain(scalar.text)
        let suits: Bool
        switch tag.hasPrefix(corePrefix) ? String(tag.dropFirst(corePrefix.count)) : "" {
        case "null": suits = plain.kind == .null
        case "bool": suits = plain.kind == .bool
        case "int": suits = plain.kind == .int
        case "float": suits = plain.kind == .float || plain.kind == .int
        default:
            builder.report(mark, unknownTag(tag))
            return .string(scalar.text)
        }
        if !suits { builder.report(mark, "the value does not suit its tag \(shorthand(tag))") }
        return plain
    }

    private static func unknownTag(_ tag: String) -> String {
        "the tag \(shorthand(tag)) is not known; only those of the YAML core schema are"
    }

    private static func shorthand(_ tag: String) -> String {
        tag.hasPrefix(corePrefix) ? "!!" + tag.dropFirst(corePrefix.count) : tag
    }
}

/// Puts the events of a reader together to one document's tree.
///
/// It has its own stack instead of recursion, and it enforces the limits of depth and nodes while
/// the document is read, so that nothing is built only to be refused. Duplicate keys, keys that are
/// no strings, merge keys and bad aliases are reported with their place, and reading goes on.
struct NodeBuilder {
    /// A finding that leaves the rest of the document readable.
    struct Finding {
        var mark: Mark
        var path: String
        var message: String
    }

    /// A finding that ends the reading of the whole source.
    struct Abort: Error {
        var mark: Mark
        var message: String
    }

    struct Frame {
        var mark: Mark
        var isMapping: Bool
        var anchor: String?
        var items: [Node] = []
        var entries: [Node.Entry] = []
        /// The key whose value comes next; `nil` where a key comes next.
        var key: (scalar: Scalar?, mark: Mark)?
        var nodesBefore: Int
        /// Depth of the tallest child, this frame not counted.
        var height = 0
    }

    private struct Anchored {
        var node: Node
        var count: Int
        var height: Int
    }

    private(set) var findings: [Finding] = []
    private(set) var root: Node?
    /// Nodes so far, aliases counted as what they stand for.
    private(set) var nodeCount = 0
    /// Nodes that aliases have added.
    private(set) var aliasNodeCount = 0
    /// No object has more; looking for `kind` ends here.
    private static let maxRootKeys = 16
    private let maxNodes: Int
    private let maxDepth: Int
    private let mayBeSet: Bool
    private let aliasAllowance: Int
    private(set) var stack: [Frame] = []
    private var anchors: [String: Anchored] = [:]

    /// - Parameters:
    ///   - mayBeSet: whether the source says `ConnectionSet` anywhere; such a document may be larger.
    ///   - aliasAllowance: nodes that aliases may still add in this source.
    init(
        maxNodes: Int = ManifestLimits.maxNodes, maxDepth: Int = ManifestLimits.maxDepth,
        mayBeSet: Bool = false, aliasAllowance: Int = ManifestLimits.maxAliasNodes
    ) {
        self.maxNodes = maxNodes
        self.maxDepth = maxDepth
        self.mayBeSet = mayBeSet
        self.aliasAllowance = aliasAllowance
    }

    var isComplete: Bool { root != nil && stack.isEmpty }

    /// Ends the document: one that was let grow as a set must be one.
    func finish() throws(Abort) {
        guard nodeCount > maxNodes, let root else { return }
        if case .scalar(let kind)? = root["kind"]?.value.content,
            kind.text == ObjectKind.connectionSet.rawValue
        {
            return
        }
        throw Abort(mark: root.mark, message: "the document has more than \(maxNodes) nodes")
    }

    mutating func scalar(_ scalar: Scalar, at mark: Mark, anchor: String? = nil) throws(Abort) {
        try count(1, at: mark)
        if let anchor {
            let node = Node(mark: mark, content: .scalar(scalar))
            anchors[anchor] = Anchored(node: node, count: 1, height: 0)
        }
        if isAtKey {
            keyArrived(scalar, at: mark)
        } else {
            attach(Node(mark: mark, content: .scalar(scalar)))
        }
    }

    mutating func begin(isMapping: Bool, at mark: Mark, anchor: String? = nil) throws(Abort) {
        guard stack.count < maxDepth else {
            throw Abort(mark: mark, message: "the document is nested deeper than \(maxDepth)")
        }
        if let anchor { anchors[anchor] = nil }
        let before = nodeCount
        try count(1, at: mark)
        stack.append(
            Frame(mark: mark, isMapping: isMapping, anchor: anchor, nodesBefore: before))
    }

    mutating func end() {
        guard let frame = stack.popLast() else { return }
        let content: Node.Content =
            frame.isMapping ? .mapping(unique(frame.entries)) : .sequence(frame.items)
        let node = Node(mark: frame.mark, content: content)
        if let anchor = frame.anchor {
            anchors[anchor] = Anchored(
                node: node, count: nodeCount - frame.nodesBefore, height: frame.height + 1)
        }
        raiseHeight(to: frame.height + 1)
        if isAtKey {
            keyIsNoString(at: frame.mark)
        } else {
            attach(node)
        }
    }

    mutating func alias(_ name: String, at mark: Mark) throws(Abort) {
        guard let anchored = anchors[name] else {
            try count(1, at: mark)
            let isOpen = stack.contains { $0.anchor == name }
            report(
                mark,
                isOpen
                    ? "the alias *\(name) stands within what it names"
                    : "no anchor &\(name) stands before this alias")
            attachReported(at: mark)
            return
        }
        aliasNodeCount += anchored.count
        guard aliasNodeCount <= aliasAllowance else {
            throw Abort(
                mark: mark,
                message: "the aliases of the file stand for more than 100,000 nodes")
        }
        try count(anchored.count, at: mark)
        guard stack.count + anchored.height <= maxDepth else {
            throw Abort(mark: mark, message: "the document is nested deeper than \(maxDepth)")
        }
        raiseHeight(to: anchored.height)
        guard isAtKey else { return attach(anchored.node) }
        if case .scalar(let scalar) = anchored.node.content {
            keyArrived(scalar, at: mark)
        } else {
            keyIsNoString(at: mark)
        }
    }

    /// Reports something about the place the reader is at.
    mutating func report(_ mark: Mark, _ message: String, path: String? = nil) {
        findings.append(Finding(mark: mark, path: path ?? self.path(), message: message))
    }

    /// Puts a place holder where a value could not be read.
    mutating func attachReported(at mark: Mark) {
        if isAtKey {
            stack[stack.count - 1].key = (nil, mark)
        } else {
            attach(Node(mark: mark, content: .reported))
        }
    }
}

extension NodeBuilder {
    private var isAtKey: Bool {
        guard let frame = stack.last else { return false }
        return frame.isMapping && frame.key == nil
    }

    private mutating func count(_ nodes: Int, at mark: Mark) throws(Abort) {
        nodeCount += nodes
        guard nodeCount > maxNodes else { return }
        let limit = isSet ? max(maxNodes, ManifestLimits.maxSetNodes) : maxNodes
        guard nodeCount > limit else { return }
        throw Abort(mark: mark, message: "the document has more than \(limit) nodes")
    }

    /// Whether the document is, or may still turn out to be, a `ConnectionSet`.
    private var isSet: Bool {
        guard mayBeSet, let bottom = stack.first else { return false }
        for entry in bottom.entries.prefix(Self.maxRootKeys) where entry.key.text == "kind" {
            guard case .scalar(let kind) = entry.value.content else { return false }
            return kind.text == ObjectKind.connectionSet.rawValue
        }
        return bottom.isMapping && bottom.entries.count < Self.maxRootKeys
    }

    private mutating func raiseHeight(to height: Int) {
        guard let last = stack.indices.last else { return }
        stack[last].height = max(stack[last].height, height)
    }

    private mutating func keyArrived(_ scalar: Scalar, at mark: Mark) {
        let last = stack.count - 1
        if scalar.text == "<<", !scalar.isString {
            report(mark, "merge keys (<<) are not supported; write the fields out")
            stack[last].key = (nil, mark)
        } else {
            stack[last].key = (scalar, mark)
        }
    }

    private mutating func keyIsNoString(at mark: Mark) {
        report(mark, "a key is a string; a value that begins with \"{\" or \"[\" needs quotes")
        stack[stack.count - 1].key = (nil, mark)
    }

    private mutating func attach(_ node: Node) {
        guard let last = stack.indices.last else {
            root = node
            return
        }
        guard stack[last].isMapping else {
            stack[last].items.append(node)
            return
        }
        if let (scalar, mark) = stack[last].key, let scalar {
            stack[last].entries.append(Node.Entry(key: scalar, keyMark: mark, value: node))
        }
        stack[last].key = nil
    }
}

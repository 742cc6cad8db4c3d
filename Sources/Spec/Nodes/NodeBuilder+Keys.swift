extension NodeBuilder {
    /// Keeps the first of equal keys and reports the others with both places.
    mutating func unique(_ entries: [Node.Entry]) -> [Node.Entry] {
        guard hasDuplicates(entries) else { return entries }
        var first: [String: Mark] = [:]
        return entries.filter { entry in
            guard let mark = first[entry.key.text] else {
                first[entry.key.text] = entry.keyMark
                return true
            }
            let prefix = path()
            report(
                entry.keyMark, "the key is there already, at \(mark.line):\(mark.column)",
                path: prefix.isEmpty ? entry.key.text : "\(prefix).\(entry.key.text)")
            return false
        }
    }

    private func hasDuplicates(_ entries: [Node.Entry]) -> Bool {
        guard entries.count <= 32 else {
            var seen = Set<String>(minimumCapacity: entries.count)
            return !entries.allSatisfy { seen.insert($0.key.text).inserted }
        }
        for index in entries.indices.dropFirst()
        where entries[..<index].contains(where: { $0.key.text == entries[index].key.text }) {
            return true
        }
        return false
    }

    /// The path of the value that is being read, as `spec.onOpen[2]`.
    func path() -> String {
        var path = ""
        for frame in stack {
            if frame.isMapping {
                guard let key = frame.key?.scalar?.text else { continue }
                path += path.isEmpty ? key : ".\(key)"
            } else {
                path += "[\(frame.items.count)]"
            }
        }
        return path
    }
}

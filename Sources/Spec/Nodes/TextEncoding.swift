/// What a file must be before a reader sees it: UTF-8, of bounded size.
enum TextEncoding {
    /// The bytes without a byte order mark.
    static func checked(
        _ bytes: [UInt8], limit: Int = ManifestLimits.maxBytes
    ) throws(NodeBuilder.Abort) -> ArraySlice<UInt8> {
        guard bytes.count <= limit else {
            throw NodeBuilder.Abort(
                mark: .start, message: "the file is larger than \(SizeText.format(limit))")
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw NodeBuilder.Abort(mark: .start, message: "the file is UTF-16; save it as UTF-8")
        }
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        if let offset = firstInvalidUTF8(text) {
            throw NodeBuilder.Abort(
                mark: mark(at: offset, in: text), message: "the file is not UTF-8 at this place")
        }
        return text
    }

    /// Whether a text that is long enough to matter says `ConnectionSet` anywhere.
    static func mentionsSet(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let word = Array(ObjectKind.connectionSet.rawValue.utf8)
        guard bytes.count > ManifestLimits.maxNodes, let first = word.first else { return false }
        var at = 0
        while at + word.count <= bytes.count {
            guard bytes[at] == first, bytes[at..<(at + word.count)].elementsEqual(word) else {
                at += 1
                continue
            }
            return true
        }
        return false
    }

    /// How many lines begin with `%TAG`.
    static func tagDirectives(_ text: ArraySlice<UInt8>) -> Int {
        let word = Array("%TAG".utf8)
        var count = 0
        var isLineStart = true
        for index in text.indices {
            if isLineStart, text[index] == word[0], text[index...].starts(with: word) { count += 1 }
            isLineStart = text[index] == 0x0A || text[index] == 0x0D
        }
        return count
    }

    /// Line and column of a byte offset.
    static func mark(at offset: Int, in text: ArraySlice<UInt8>) -> Mark {
        var mark = Mark.start
        var previous: UInt8 = 0
        for byte in text[..<min(offset, text.endIndex)] {
            if byte == 0x0D || (byte == 0x0A && previous != 0x0D) {
                mark = Mark(line: mark.line + 1, column: 1)
            } else if byte & 0xC0 != 0x80, byte != 0x0A {
                mark.column += 1
            }
            previous = byte
        }
        return mark
    }

    private static func firstInvalidUTF8(_ text: ArraySlice<UInt8>) -> Int? {
        text.withUnsafeBufferPointer { buffer in
            if String(validating: buffer, as: UTF8.self) != nil { return nil }
            var decoder = UTF8.ForwardParser()
            var rest = buffer.makeIterator()
            var at = text.startIndex
            while true {
                switch decoder.parseScalar(from: &rest) {
                case .valid(let scalar): at += scalar.count
                case .emptyInput, .error: return at
                }
            }
        }
    }
}

/// A ``Match`` made ready to test messages.
package struct CompiledMatch: Sendable {
    private enum Test: Sendable {
        case text([UInt8])
        case prefix([UInt8])
        case bytesPrefix([UInt8])
        case regex(LinearRegex)
        case equals(JSONPath, Match.Scalar)
        case exists(JSONPath)
    }

    private let test: Test

    /// Compiles a match; the error is a sentence for its author. One of a compiled manifest never
    /// fails.
    package init(_ match: Match) throws(SyntaxProblem) {
        switch match {
        case .text(let text): test = .text(Array(text.utf8))
        case .prefix(let text): test = .prefix(Array(text.utf8))
        case .base64Prefix(let bytes): test = .bytesPrefix(bytes)
        case .pathExists(let path): test = .exists(try JSONPath(path))
        case .pathEquals(let path, let value): test = .equals(try JSONPath(path), value)
        case .regex(let pattern):
            do {
                test = .regex(try LinearRegex(pattern))
            } catch {
                throw SyntaxProblem(error.message)
            }
        }
    }

    /// Whether a message passes the test.
    ///
    /// `text`, `prefix` and `regex` look at text messages only, `base64Prefix` and `path` at both.
    package func matches(isText: Bool, bytes: UnsafeRawBufferPointer) -> Bool {
        switch test {
        case .text(let text): isText && bytes.elementsEqual(text)
        case .prefix(let prefix): isText && bytes.starts(with: prefix)
        case .bytesPrefix(let prefix): bytes.starts(with: prefix)
        case .regex(let regex): isText && regex.matches(bytes)
        case .exists(let path): JSONScanner.find(path, in: bytes) != nil
        case .equals(let path, let value):
            JSONScanner.find(path, in: bytes).map { range in
                Self.isEqual(value, Array(bytes[range]))
            } ?? false
        }
    }

    package func matches(isText: Bool, bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { matches(isText: isText, bytes: $0) }
    }

    private static func isEqual(_ scalar: Match.Scalar, _ json: [UInt8]) -> Bool {
        guard json.first != UInt8(ascii: "{"), json.first != UInt8(ascii: "["),
            let value = try? JSONValue.parse(json)
        else { return false }
        switch (scalar, value) {
        case (.string(let left), .string(let right)): return left == right
        case (.bool(let left), .bool(let right)): return left == right
        case (.number(let left), .number(let right)): return JSONNumber.areEqual(left, right)
        case (.null, .null): return true
        default: return false
        }
    }
}

extension Match {
    /// The form that tests messages; the error is a sentence for its author.
    package func compiled() throws(SyntaxProblem) -> CompiledMatch { try CompiledMatch(self) }
}

/// A test of one message. Used by `correlation.match`.
package enum Match: Sendable, Hashable {
    case text(String)
    case prefix(String)
    /// A pattern of ``LinearRegex``: RE2-like, no back-references, linear time.
    case regex(String)
    /// The message's first bytes.
    case base64Prefix([UInt8])
    /// The JSON value at a dotted path equals a scalar.
    case pathEquals(path: String, value: Scalar)
    /// There is a JSON value at a dotted path.
    case pathExists(path: String)

    package enum Scalar: Sendable, Hashable {
        case string(String)
        case number(String)
        case bool(Bool)
        case null
    }
}

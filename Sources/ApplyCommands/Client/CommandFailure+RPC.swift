internal import GRPCCore

extension CommandFailure {
    /// What the server begins its message with where a prune would go too far.
    static let pruneGuardPrefix = "prune guard:"

    /// Puts a failed call into words.
    ///
    /// - Parameter refusal: What FAILED_PRECONDITION means here: a conflict where objects are
    ///   changed, a refusal where they are used.
    init(_ error: RPCError, from address: ServerAddress, refusal: CommandStatus = .conflict) {
        let message = error.message.isEmpty ? "\(error.code)" : error.message
        switch error.code {
        case .unavailable:
            self.init(
                .unreachable,
                "the server at \(address) is not available: \(Self.rootCause(of: error))")
        case .unauthenticated, .permissionDenied:
            self.init(.unreachable, "the server at \(address) does not let us in: \(message)")
        case .unimplemented:
            self.init(
                .unreachable,
                "what answers at \(address) does not know this call (\(message)): is it a"
                    + " wsm-server of this version? The address comes from --server or WSM_SERVER")
        case .invalidArgument, .outOfRange:
            self.init(.invalid, message)
        case .notFound:
            self.init(.different, message)
        case .aborted, .alreadyExists:
            self.init(.conflict, message)
        case .failedPrecondition where message.hasPrefix(Self.pruneGuardPrefix):
            self.init(.pruneGuard, message)
        case .failedPrecondition:
            self.init(refusal, message)
        case .deadlineExceeded:
            self.init(.timedOut, "no answer in time: \(message)")
        case .resourceExhausted:
            self.init(.unreachable, "the server at \(address) refuses: \(message)")
        default:
            self.init(.unreachable, "the server at \(address) failed (\(error.code)): \(message)")
        }
    }

    static func unreachable(_ address: ServerAddress, because reason: String) -> String {
        "cannot reach the server at \(address): \(reason). Is wsm-server running there? The address"
            + " comes from --server HOST:PORT or WSM_SERVER"
    }

    /// The innermost cause, which for a connection that does not come about is the system's error.
    static func rootCause(of error: RPCError) -> String {
        var cause: any Error = error
        while let outer = cause as? RPCError, let inner = outer.cause { cause = inner }
        let text = TerminalText.singleLine((cause as? RPCError)?.message ?? "\(cause)")
        if let sentence = TLSProblem.sentence(for: text) { return sentence }
        guard let number = systemError(in: text) else { return text }
        return SystemCalls.text(number)
    }

    /// The transport prints a failed system call as `…(errno: 111)`.
    private static func systemError(in text: String) -> Int32? {
        let marker = "(errno: "
        guard text.hasSuffix(")"), let open = text.lastIndex(of: "("),
            text[open...].hasPrefix(marker)
        else { return nil }
        return Int32(text[open...].dropFirst(marker.count).dropLast())
    }
}

import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the transport's errors mean to us; the one place that knows NIO's and BoringSSL's types.
extension WebSocketError {
    init(transport error: any Error) {
        switch error {
        case let error as WebSocketError:
            self = error
        case NIOSSLError.uncleanShutdown:
            self.init(.connectionClosed, "ended by the peer without a close frame")
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            self.init(.tlsFailure, "TLS failed: \(TLSFailure.text(of: error))")
        case ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed,
            ChannelError.outputClosed, ChannelError.eof:
            self.init(.notOpen, "the connection is closed")
        case let error as IOError:
            self.init(.connectionReset, SystemError.text(of: error.errnoCode))
        default:
            self.init(.connectionReset, "the transport failed")
        }
    }
}

extension HandshakeFailure {
    init(transport error: any Error) {
        switch error {
        case let error as HandshakeFailure:
            self = error
        case NIOSSLError.uncleanShutdown:
            self.init(code: .reset, message: "closed by the server without an answer")
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            self = TLSFailure.handshakeFailure(error)
        case ChannelError.connectTimeout:
            self.init(code: .timedOut, message: "timed out")
        case let error as IOError:
            self.init(
                code: SystemError.code(of: error.errnoCode),
                message: SystemError.text(of: error.errnoCode))
        case is ChannelError:
            self.init(code: .reset, message: "the connection is closed")
        default:
            self.init(code: .other, message: "failed: \(type(of: error))")
        }
    }
}

/// Words and codes for `errno`.
enum SystemError {
    static func code(of errno: Int32) -> WebSocketDialError.Code {
        switch errno {
        case ECONNREFUSED: .refused
        case ECONNRESET, EPIPE, ECONNABORTED: .reset
        case ETIMEDOUT: .timedOut
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EAFNOSUPPORT:
            .unreachable
        default: .other
        }
    }

    static func text(of errno: Int32) -> String {
        switch errno {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET, EPIPE, ECONNABORTED: "connection reset"
        case ETIMEDOUT: "timed out"
        case ENETUNREACH, ENETDOWN: "network unreachable"
        case EHOSTUNREACH, EHOSTDOWN: "host unreachable"
        case EADDRNOTAVAIL: "no local address or port left"
        case EAFNOSUPPORT: "address family not supported"
        case EMFILE, ENFILE: "too many open files"
        default: "system error \(errno)"
        }
    }
}

/// Words and codes for BoringSSL's errors, which come as a stack of strings.
enum TLSFailure {
    static func handshakeFailure(_ error: any Error) -> HandshakeFailure {
        let text = Self.text(of: error)
        let isVerification =
            (error as? NIOSSLExtraError) == .failedToValidateHostname
            || Self.verification.contains { text.contains($0) }
        if text.contains("EOF during handshake") {
            return HandshakeFailure(code: .reset, message: "closed by the server during TLS")
        }
        return HandshakeFailure(
            code: isVerification ? .tlsVerification : .other, message: "TLS failed: \(text)")
    }

    /// Parts of the texts that speak of certificates, ours or theirs.
    private static let verification = [
        "CERTIFICATE", "certificate", "UNKNOWN_CA", "unable to validate",
    ]

    /// One line without the addresses in BoringSSL's sources.
    static func text(of error: any Error) -> String {
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "the certificate is not for this name"
        case NIOSSLError.handshakeFailed(let inner), NIOSSLError.shutdownFailed(let inner):
            Self.text(ofBoringSSL: inner)
        case let error as BoringSSLError:
            Self.text(ofBoringSSL: error)
        default:
            HTTPText.printable("\(error)", limit: 200)
        }
    }

    private static func text(ofBoringSSL error: BoringSSLError) -> String {
        switch error {
        case .sslError(let stack), .unknownError(let stack):
            let words = stack.map { entry in
                let parts = "\(entry)".split(separator: ":")
                return Self.lastWords(of: parts, whole: "\(entry)")
            }
            return words.isEmpty ? "\(error)" : words.joined(separator: ", ")
        default:
            return "\(error)"
        }
    }

    /// Of `Error: 268435581 error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED
    /// at file:line`, what comes after the routine.
    private static func lastWords(of parts: [Substring], whole: String) -> String {
        guard let index = parts.firstIndex(of: "OPENSSL_internal"), index + 1 < parts.count else {
            return HTTPText.printable(whole, limit: 100)
        }
        let words = parts[index + 1].split(separator: " ", maxSplits: 1).first ?? ""
        return HTTPText.printable(words, limit: 100)
    }
}

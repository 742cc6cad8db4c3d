import Testing

@testable import ApplyCommands

struct TLSProblemTests {
    @Test(arguments: [
        (
            "handshakeFailed(sslError([Error: 1 error:1000007d:SSL routines:OPENSSL_internal:"
                + "CERTIFICATE_VERIFY_FAILED at handshake.cc:320]))",
            "its certificate does not come from an authority we trust (--ca FILE)"
        ),
        (
            "NIOSSLExtraError.failedToValidateHostname: Couldn't find <none> in certificate",
            "its certificate is made out to another name"
        ),
        (
            "sslError([Error: 1 error:1000045c:SSL routines:OPENSSL_internal:"
                + "TLSV1_ALERT_CERTIFICATE_REQUIRED at tls_record.cc:491])",
            "it wants a client certificate (--cert FILE --key FILE)"
        ),
        (
            "sslError([Error: 1 error:1:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at t])",
            "it does not speak TLS (leave out --tls, --ca, --cert)"
        ),
        ("Connection refused", nil),
    ])
    func theLibrarysWordsBecomeOurs(text: String, sentence: String?) {
        #expect(TLSProblem.sentence(for: text) == sentence)
    }
}

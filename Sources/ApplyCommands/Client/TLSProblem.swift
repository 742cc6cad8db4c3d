/// What went wrong in a TLS handshake, in words for the person who gave the flags.
enum TLSProblem {
    /// Marks in the TLS library's own words, the first that fits wins.
    private static let sentences: [(mark: String, sentence: String)] = [
        (
            "CERTIFICATE_VERIFY_FAILED",
            "its certificate does not come from an authority we trust (--ca FILE)"
        ),
        ("failedToValidateHostname", "its certificate is made out to another name"),
        ("ALERT_CERTIFICATE_REQUIRED", "it wants a client certificate (--cert FILE --key FILE)"),
        ("ALERT_UNKNOWN_CA", "it does not know the authority of our client certificate (--cert)"),
        ("ALERT_CERTIFICATE_EXPIRED", "our client certificate has expired (--cert)"),
        ("CERTIFICATE", "it does not accept our client certificate (--cert)"),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS (leave out --tls, --ca, --cert)"),
        (
            "before completing the HTTP/2 connection preface",
            "it closed the connection at once; if it wants TLS, give --ca FILE or --tls"
        ),
    ]

    /// - Returns: `nil` where the text is about something else.
    static func sentence(for text: String) -> String? {
        sentences.first { text.contains($0.mark) }?.sentence
    }
}

import Manager
import Testing

/// Who may listen where.
struct AccessRulesTests {
    private func problem(_ configure: (inout ServerConfiguration) -> Void) -> String? {
        var configuration = ServerConfiguration(dataDirectory: "/d", instanceID: "i")
        configure(&configuration)
        do {
            try configuration.validate()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: ["::ffff:127.0.0.1", "127.0.0.1", "::1", "localhost", "127.1.2.3"])
    func loopbackNeedsNothing(bind: String) {
        #expect(problem { $0.bind = bind } == nil)
        #expect(
            problem {
                $0.bind = bind
                $0.tokenFile = "t"
            } == nil)
    }

    @Test(arguments: ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"])
    func beyondItNeedsTLSAndCallers(bind: String) {
        func refused(_ configure: (inout ServerConfiguration) -> Void) -> String? {
            problem {
                $0.bind = bind
                configure(&$0)
            }
        }
        let beginning = "--bind is \(bind), so others than this machine reach the server: it needs "
        let end = ", or --insecure to let everybody in all the same"
        #expect(
            refused { _ in } == beginning
                + "--tls-cert and --tls-key, with --token-file or --client-ca" + end)
        #expect(
            refused { $0.tokenFile = "t" } == beginning + "--tls-cert and --tls-key" + end)
        #expect(
            refused {
                $0.tlsCertificatePath = "c"
                $0.tlsKeyPath = "k"
            } == beginning + "--token-file or --client-ca" + end)
        for open in [
            { $0.tokenFile = "t" }, { $0.clientCAPath = "ca" },
        ] as [(inout ServerConfiguration) -> Void] {
            #expect(
                refused {
                    $0.tlsCertificatePath = "c"
                    $0.tlsKeyPath = "k"
                    open(&$0)
                } == nil)
        }
        #expect(refused { $0.isInsecure = true } == nil)
    }

    @Test func halvesAreNamed() {
        #expect(
            problem { $0.tlsCertificatePath = "c" }
                == "--tls-cert needs --tls-key, the certificate's private key")
        #expect(
            problem { $0.tlsKeyPath = "k" } == "--tls-key needs --tls-cert, the key's certificate")
        #expect(
            problem { $0.clientCAPath = "ca" }
                == "--client-ca needs --tls-cert and --tls-key: client certificates are shown in "
                + "TLS only")
    }

    @Test(arguments: ["", "example.com", "0", "1.2.3", "127.0.0.1:5002", "[::1]"])
    func aNameIsNoAddress(bind: String) {
        #expect(
            problem { $0.bind = bind }?.hasPrefix(
                "--bind is \(bind): it must be an IPv4 or IPv6 address") == true)
    }

    @Test func openIsOnlyWhatNobodyGuards() {
        var configuration = ServerConfiguration(dataDirectory: "/d", instanceID: "i")
        configuration.isInsecure = true
        #expect(!configuration.isOpen)
        configuration.bind = "0.0.0.0"
        #expect(configuration.isOpen)
        configuration.tlsCertificatePath = "c"
        configuration.tlsKeyPath = "k"
        #expect(configuration.isOpen)
        configuration.tokenFile = "t"
        #expect(!configuration.isOpen)
    }
}

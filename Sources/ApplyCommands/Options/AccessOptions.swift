internal import ArgumentParser

/// Flags of every verb that say how the server lets us in.
struct AccessOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The context to use. Also WSM_CONTEXT.", valueName: "name"))
    var context: String?

    @Option(
        help: ArgumentHelp(
            "PEM file of the authorities the server's certificate may come from; means TLS. Also"
                + " WSM_CA.", valueName: "file"))
    var ca: String?

    @Option(
        help: ArgumentHelp(
            "PEM file of our own certificate, with --key; means TLS. Also WSM_CERT.",
            valueName: "file"))
    var cert: String?

    @Option(help: ArgumentHelp("PEM file of its key. Also WSM_KEY.", valueName: "file"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "File with our token and nothing else. Also WSM_TOKEN_FILE.", valueName: "file"))
    var tokenFile: String?

    @Flag(help: "Use TLS with the system's authorities. Also WSM_TLS=true.")
    var tls = false

    @Flag(help: "Send the token in plain text beyond this machine. Also WSM_INSECURE=true.")
    var insecure = false
}

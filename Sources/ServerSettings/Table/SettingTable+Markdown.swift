extension SettingTable {
    /// The reference page `docs/configuration.md`, made from this table and nothing else.
    package static func markdown() -> String {
        var page = introduction
        var sections: [String] = []
        for setting in settings where !sections.contains(setting.section) {
            sections.append(setting.section)
        }
        for section in sections {
            page += "\n### \(section)\n\n" + table(settings.filter { $0.section == section })
        }
        return page + notes
    }

    private static func table(_ settings: [Setting]) -> String {
        var text = "| flag | environment | file | type | default | range | what it is |\n"
        text += "|---|---|---|---|---|---|---|\n"
        for setting in settings {
            let short = setting.short.map { "`-\($0)`, " } ?? ""
            let names = [setting.variable] + setting.aliases.map(\.shown)
            let cells = [
                "\(short)`\(setting.flag)`", names.map { "`\($0)`" }.joined(separator: ", "),
                setting.fileKey.map { "`\($0)`" } ?? "", setting.kind.typeName,
                setting.defaultNote ?? setting.defaultText.map { "`\($0)`" } ?? "none",
                setting.kind.rangeText, setting.summary,
            ]
            text += "| " + cells.map(escaped).joined(separator: " | ") + " |\n"
        }
        return text
    }

    private static func escaped(_ cell: String) -> String {
        cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }

    private static let introduction = """
        # Configuration of wsm-server

        Made from the table of settings; `WSM_REWRITE=1 make test` writes it anew.

        A setting is looked for on the command line, then in the environment, then in the file of
        `--config`; what is found first counts, and the default if nothing is. `wsm-server --print-config`
        shows each value and where it came from (`-o json` for programs) and starts nothing. Every problem
        is told at once, each with its place, before anything is opened; the exit code is 2.

        ```yaml
        # wsm-server --config wsm.yaml
        grpcPort: 5002
        dataDir: /var/lib/wsm
        bufferLimit: 512MiB
        allowedOrigins: ["https://console.example.com"]
        logFormat: json
        ```

        - **Environment.** `WSM_` and the flag's name in capitals. The other names in the table are those of
          the older service and of Dapr, in upper or lower case; a `WSM_` variable outranks them. An empty
          variable counts as not set. A `WSM_` variable that nobody reads is warned of at the start. Where
          `wsm-apply` has a variable of the same name, the server's begins with `WSM_SERVER_`.
        - **File.** One YAML map; an unknown or doubled key, a wrong type or a second document is an error
          with file, line and column. Paths are taken from the directory the server is started in.
        - **Lists** are given as a flag several times, or between commas; in a file as a list.
        - **Sizes and durations** are written as in manifests: `64KiB`, `1m30s`.

        ## Settings

        """

    private static let notes = """

        ## Beside the settings

        | flag | what |
        |---|---|
        | `--print-config` | prints every setting with its value and its origin, and ends |
        | `-o`, `--output` | how `--print-config` prints: `text` or `json` |
        | `--version` | prints the version, and ends |
        | `-?`, `-h`, `--help` | prints the flags, and ends |

        ## Notes

        - `HttpPort` and `GrpcPort` must differ, unless one of them is 0.
        - `WebSocketOptions__ReconnectMaxAttempts`, `__ReconnectBaseDelayMs` and `__DefaultTimeoutMs` hold for
          connections made by `Connect` only; a manifest says what it wants. They are put into the connection
          when it is made, so that a later change of the setting does not touch it. In the older service 0
          attempts are none; so that variable with `0` is `--api-max-attempts none`, and `Connect` with
          `auto_reconnect` behaves as without. `--api-max-attempts 0` dials for ever.
        - A base above the usual cap of the back-off (30s) raises the cap to itself.
        - `--log-level` takes `Information` and the other words of the older service, in any case. `none` logs
          nothing at all, not even `ready`; a start that fails is still told.
        - The settings under Dapr are there so that start lines of the older service work. A warning says that
          they have no effect.

        ## Logs

        One line an event, to the standard error, times in UTC. Messages are fixed texts; what varies stands
        in the metadata, by key. Texts from outside are escaped, so that none begins a line or a key.

        `--log-format text`: `TIME LEVEL LABEL: KEY=VALUE … [MODULE] MESSAGE`.
        `--log-format json`: an object with `ts`, `level`, `msg`, `label` and the metadata by their keys; a
        key of the metadata that is one of those four is written as `metadata.KEY`.

        """
}

extension Setting.Alias {
    fileprivate var shown: String { form == .indexed ? "\(name)__0" : name }
}

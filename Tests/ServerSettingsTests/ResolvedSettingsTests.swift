import Logging
import Manager
import ManagerCore
import Reconciler
import Spec
import Testing

@testable import ServerSettings

/// Settings of a machine called `box`, with a file in place of the disk.
func resolved(
    _ flags: [SettingName: [String]] = [:], _ environment: [String: String] = [:],
    file: String? = nil
) -> ResolvedSettings {
    var flags = flags
    if file != nil { flags[.config] = ["w.yaml"] }
    return ResolvedSettings(
        flags: flags, environment: environment, host: HostFacts(hostName: "box", isRoot: true),
        readFile: { _ in Array((file ?? "").utf8) })
}

func started(
    _ flags: [SettingName: [String]] = [:], _ environment: [String: String] = [:],
    file: String? = nil
) throws -> ServerConfiguration {
    try ServerStart(resolved(flags, environment, file: file), environment: environment)
        .configuration
}

struct ResolvedSettingsTests {
    @Test func aFlagWinsOverTheEnvironmentThatOverTheFileThatOverTheDefault() {
        let file = "grpcPort: 3\n"
        let environment = ["WSM_GRPC_PORT": "2", "GrpcPort": "22"]
        var settings = resolved([.grpcPort: ["1"]], environment, file: file)
        #expect(settings.value(.grpcPort) == .integer(1))
        #expect(settings.origin(.grpcPort) == .flag("--grpc-port"))
        settings = resolved([:], environment, file: file)
        #expect(settings.value(.grpcPort) == .integer(2))
        #expect(settings.origin(.grpcPort) == .environment("WSM_GRPC_PORT"))
        settings = resolved([:], ["GrpcPort": "22"], file: file)
        #expect(settings.value(.grpcPort) == .integer(22))
        settings = resolved([:], [:], file: file)
        #expect(settings.value(.grpcPort) == .integer(3))
        #expect("\(settings.origin(.grpcPort))" == "file w.yaml:1")
        settings = resolved()
        #expect(settings.value(.grpcPort) == .integer(5002))
        #expect(settings.origin(.grpcPort) == .standard)
    }

    @Test(arguments: SettingName.allCases.filter { SettingTable[$0].fileKey != nil })
    func everySettingComesFromTheEnvironmentAndFromAFile(_ name: SettingName) throws {
        let setting = SettingTable[name]
        let text = sample(setting)
        let expected = try setting.kind.parse(text)
        let given = resolved([:], [setting.variable: text])
        #expect(given.value(name) == expected && given.problems.isEmpty)
        #expect(given.origin(name) == .environment(setting.variable))
        let quoted =
            switch setting.kind {
            case .integer, .number, .flag, .attempts: text
            default: "\"\(text)\""
            }
        let key = try #require(setting.fileKey)
        let read = resolved(file: "\(key): \(quoted)\n")
        #expect(read.problems.isEmpty)
        #expect(read.value(name) == expected)
    }

    @Test func namesOfTheOlderServiceHoldInAnyCase() {
        let settings = resolved(
            [:],
            [
                "HTTPPORT": "81", "grpcport": "82", "Logging__LogLevel__Default": "Debug",
                "DAPR_HTTP_PORT": "83", "pubsubName": "bus1",
                "Cors__AllowedOrigins__0": "https://a.example",
                "Cors__AllowedOrigins__1": "https://b.example",
            ])
        #expect(settings.problems.isEmpty)
        #expect(settings.value(.httpPort) == .integer(81))
        #expect(settings.value(.grpcPort) == .integer(82))
        #expect(settings.value(.logLevel) == .level(.debug))
        #expect(settings.value(.daprHTTPPort) == .integer(83))
        #expect(settings.value(.pubsubName) == .text("bus1"))
        #expect(
            settings.value(.allowedOrigins) == .list(["https://a.example", "https://b.example"]))
    }

    @Test func anEmptyVariableCountsAsNotSet() {
        let settings = resolved(
            [:], ["WSM_GRPC_PORT": "", "GrpcPort": "", "WSM_SERVER_TOKEN_FILE": ""])
        #expect(settings.problems.isEmpty)
        #expect(settings.origin(.grpcPort) == .standard)
        #expect(settings.value(.tokenFile) == nil)
    }

    @Test func whatDependsOnTheMachineIsFilledIn() throws {
        let root = resolved()
        #expect(root.value(.dataDir) == .text("/var/lib/wsm"))
        #expect(root.value(.instanceID) == .text("box-5002"))
        let user = ResolvedSettings(
            flags: [.grpcPort: ["7"]], environment: ["HOME": "/home/u", "HOSTNAME": "pod-1"],
            host: HostFacts(hostName: "box", isRoot: false), readFile: { _ in [] })
        #expect(user.value(.dataDir) == .text("/home/u/.local/state/wsm"))
        #expect(user.value(.instanceID) == .text("pod-1-7"))
        #expect(
            resolved([:], ["XDG_STATE_HOME": "/x"]).value(.dataDir) == .text("/x/wsm"))
    }

    @Test func everyProblemIsToldAtOnceWithItsOrigin() {
        let settings = resolved(
            [.httpPort: ["x1"], .logLevel: ["inof"]],
            ["WSM_BUFFER_LIMIT": "3MB", "WebSocketOptions__DefaultTimeoutMs": "soon"],
            file: "drainTimout: 10s\ndialRate: \"7\"\nstate: etcd\nbus: [local]\n")
        #expect(
            settings.problems == [
                "w.yaml:1:1: drainTimout: unknown key (did you mean drainTimeout?)",
                "w.yaml:2:11: dialRate: a number is wanted, without quotes",
                "w.yaml:3:8: state: the value etcd: it must be sqlite or dapr",
                "w.yaml:4:1: bus: one value is wanted, not a list",
                "--http-port is x1: it must be a whole number from 0 to 65535",
                "WSM_BUFFER_LIMIT is 3MB: use MiB (1024 KiB)",
                "WebSocketOptions__DefaultTimeoutMs is soon: it must be a whole number of "
                    + "milliseconds",
                "--log-level is inof: it must be trace, debug, info, notice, warning, error, "
                    + "critical, none (did you mean info?)",
            ])
    }

    @Test func aFileThatIsNoMapIsRefusedWithItsPlace() {
        #expect(
            resolved(file: "- a\n").problems == [
                "w.yaml:1:1: a map of settings is wanted, not a list"
            ])
        #expect(
            resolved(file: "grpcPort: 1\ngrpcPort: 2\n").problems.first?.hasPrefix("w.yaml:2:1: ")
                == true)
        #expect(
            resolved(file: "grpcPort: 1\n---\nhttpPort: 2\n").problems == [
                "w.yaml:3:1: a second document: a configuration is one"
            ])
        #expect(
            resolved(file: "config: other.yaml\n").problems == [
                "w.yaml:1:1: config: a file cannot name another file"
            ])
        #expect(resolved(file: "").problems.isEmpty)
        #expect(resolved(file: "grpcPort: {a: 1}\n").problems.count == 1)
        #expect(resolved(file: "grpcPort: ~\n").problems.count == 1)
        #expect(resolved(file: "a: \"b\n").problems.first?.hasPrefix("w.yaml:") == true)
    }

    @Test func aFileThatCannotBeReadIsAProblem() {
        struct Gone: Error, CustomStringConvertible { var description = "No such file" }
        let settings = ResolvedSettings(
            flags: [:], environment: ["WSM_CONFIG_FILE": "/no.yaml"],
            host: HostFacts(hostName: "box", isRoot: false), readFile: { _ in throw Gone() })
        #expect(settings.problems == ["--config /no.yaml: it cannot be read: No such file"])
    }

    @Test func theTwoPortsDiffer() {
        let settings = resolved([.httpPort: ["5002"]])
        #expect(
            settings.problems == [
                "--http-port and --grpc-port are both 5002 (flag --http-port and default): each "
                    + "needs a port of its own"
            ])
        #expect(resolved([.httpPort: ["0"], .grpcPort: ["0"]]).problems.isEmpty)
    }

    @Test func variablesNobodyReadsAreWarnedOf() {
        let settings = resolved(
            [:],
            [
                "WSM_GRPC_PROT": "1", "WSM_WHATEVER_THIS_IS": "1", "WSM_SERVER": "x:1",
                "WSM_CONTEXT": "c", "WSM_TOKEN_FILE": "f", "WSM_CA": "f", "WSM_SECRET_TOKEN": "s",
                "WSM_RUN_SECONDS": "1", "WSM_BIN": "b", "WSM_PORT": "tcp://10.0.0.1:5002",
                "WSM_SERVICE_HOST": "10.0.0.1", "WSM_PORT_5002_TCP_ADDR": "10.0.0.1",
                "WSM_GRPC_HOST": "h", "WSM_LOG_LEVEL": "debug",
            ])
        #expect(
            settings.warnings == [
                "WSM_GRPC_HOST has no effect: it is a setting of the older service",
                "WSM_GRPC_PROT is no setting of this version (did you mean WSM_GRPC_PORT?)",
                "WSM_TOKEN_FILE is a variable of wsm-apply; the server reads "
                    + "WSM_SERVER_TOKEN_FILE",
                "WSM_WHATEVER_THIS_IS is no setting of this version",
            ])
    }

    @Test func aTokenFileUnderItsOwnNameLeavesTheOthersAlone() {
        let settings = resolved(
            [:], ["WSM_TOKEN_FILE": "client", "WSM_SERVER_TOKEN_FILE": "server"])
        #expect(settings.warnings.isEmpty)
    }

    @Test func settingsOfDaprAreAcceptedWithAWarning() {
        let settings = resolved([.pubsubName: ["p"], .stateStoreName: ["s"]])
        #expect(settings.problems.isEmpty)
        #expect(
            settings.warnings.first
                == "--pubsub-name (flag --pubsub-name) has no effect with --state sqlite --bus local"
        )
        #expect(settings.warnings.count == 2)
        #expect(resolved([.bus: ["dapr"], .pubsubName: ["p"]]).warnings.isEmpty)
    }

    @Test func listsArePutTogether() {
        let settings = resolved([.allowCIDR: ["10.0.0.0/8, 192.168.0.0/16", "10.0.0.0/8", ""]])
        #expect(settings.value(.allowCIDR) == .list(["10.0.0.0/8", "192.168.0.0/16"]))
        #expect(
            resolved(file: "allowCidr: [10.0.0.0/8, 127.0.0.0/8]\n").value(.allowCIDR)
                == .list(["10.0.0.0/8", "127.0.0.0/8"]))
        #expect(resolved(file: "allowCidr: []\n").value(.allowCIDR) == .list([]))
    }
}

struct ServerStartTests {
    @Test func theConfigurationHasWhatWasResolved() throws {
        let configuration = try started(
            [
                .grpcPort: ["0"], .bufferLimit: ["2MiB"], .replayMessages: ["100000"],
                .replayBytes: ["64MiB"], .subscriberBacklog: ["0B"], .readCoalescing: ["0.5ms"],
            ],
            ["WSM_DIAL_RATE": "1.5", "WSM_SECRETS_DIR": "/s"],
            file: "drainTimeout: 1m30s\nmanifests: /m\nallowedOrigins: [https://a.example]\n")
        #expect(configuration.grpcPort == 0 && configuration.httpPort == 5001)
        #expect(configuration.bufferLimit == 2 << 20)
        let replay = MessageAmount(messages: 100_000, bytes: 64 << 20)
        #expect(configuration.retention == TopicRetention(replay: replay, backlogBytes: 0))
        #expect(configuration.readCoalescing == .microseconds(500))
        #expect(configuration.reconciler.dialRate == 1.5)
        #expect(configuration.secretsDirectory == "/s")
        #expect(configuration.drainTimeout == .seconds(90))
        #expect(configuration.manifestsDirectory == "/m")
        #expect(configuration.allowedOrigins == ["https://a.example"])
        #expect(configuration.environment["WSM_SECRETS_DIR"] == "/s")
    }

    @Test func defaultsOfTheTableAreThoseOfTheConfiguration() throws {
        let made = try started()
        let plain = ServerConfiguration(dataDirectory: "", instanceID: "x")
        #expect(made.bind == plain.bind && made.grpcPort == plain.grpcPort)
        #expect(made.httpPort == plain.httpPort && made.bufferLimit == plain.bufferLimit)
        #expect(made.retention == plain.retention && made.readCoalescing == plain.readCoalescing)
        #expect(made.drainTimeout == plain.drainTimeout && made.reconciler == plain.reconciler)
        #expect(made.secretEnvironmentPrefix == plain.secretEnvironmentPrefix)
        #expect(made.manifestsSet == plain.manifestsSet && !made.isInsecure)
        #expect(made.tokenFile == nil && made.allowedCIDRs.isEmpty)
    }

    @Test func attemptsOfTheOlderServiceKeepTheirMeaning() throws {
        let name = "WebSocketOptions__ReconnectMaxAttempts"
        #expect(try started([:], [name: "5"]).apiDefaults.maxAttempts == 5)
        let none = try started([:], [name: "0"]).apiDefaults
        #expect(none.neverReconnects && none.maxAttempts == nil)
        let forEver = try started([.apiMaxAttempts: ["0"]], [name: "0"]).apiDefaults
        #expect(!forEver.neverReconnects && forEver.maxAttempts == 0)
        let defaults = try started(
            [:],
            [
                "WebSocketOptions__ReconnectBaseDelayMs": "250",
                "WebSocketOptions__DefaultTimeoutMs": "1500",
            ]
        ).apiDefaults
        #expect(defaults.reconnectBase == .milliseconds(250))
        #expect(defaults.sendTimeout == .milliseconds(1500))
    }

    @Test(arguments: [
        ("Trace", "trace"), ("Information", "info"), ("INFO", "info"), ("Warning", "warning"),
        ("warn", "warning"), ("Critical", "critical"), ("notice", "notice"), ("None", "none"),
    ]) func levelsHaveBothVocabularies(_ word: String, _ level: String) throws {
        let start = try ServerStart(resolved([.logLevel: [word]]), environment: [:])
        #expect((start.logLevel?.rawValue ?? "none") == level)
    }

    @Test func aRuleOfTheServerNamesWhereTheValueCameFrom() {
        let error = #expect(throws: ServerStart.Invalid.self) {
            try started([:], ["WSM_BIND": "not an address"])
        }
        #expect(
            error?.description.hasSuffix("(--bind is from environment WSM_BIND)") == true,
            "\(error?.description ?? "")")
    }
}

struct ConfigPrintingTests {
    @Test func everySettingIsShownWithItsOrigin() {
        let settings = resolved(
            [.grpcPort: ["1"]], ["WSM_LOG_FORMAT": "json"], file: "manifests: /with space\n")
        let lines = ConfigPrinting.text(settings).split(separator: "\n").map { line in
            line.split(separator: "  ").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
        }
        #expect(lines.count == SettingTable.settings.count)
        #expect(lines.contains(["grpc-port", "1", "flag--grpc-port"]))
        #expect(lines.contains(["log-format", "json", "environmentWSM_LOG_FORMAT"]))
        #expect(lines.contains(["manifests", "\"/withspace\"", "filew.yaml:1"]))
        #expect(lines.contains(["http-port", "5001", "default"]))
        #expect(lines.contains(["token-file", "-", "default"]))
    }

    @Test func jsonHasTypesAndPlaces() throws {
        let settings = resolved(
            [.grpcPort: ["1"]], ["WSM_ALLOW_CIDR": "10.0.0.0/8"], file: "insecure: true\n")
        let json = try JSONValue.parse(Array(ConfigPrinting.json(settings).utf8))
        guard case .array(let objects) = json else {
            Issue.record("not an array")
            return
        }
        func object(_ name: String) -> JSONValue? {
            objects.first { $0["name"] == .string(name) }
        }
        #expect(objects.count == SettingTable.settings.count)
        #expect(object("grpc-port")?["value"] == .number("1"))
        #expect(object("grpc-port")?["origin"]?["name"] == .string("--grpc-port"))
        #expect(object("insecure")?["value"] == .bool(true))
        #expect(object("insecure")?["origin"]?["line"] == .number("1"))
        #expect(object("allow-cidr")?["value"] == .array([.string("10.0.0.0/8")]))
        #expect(object("token-file")?["value"] == .null)
    }

    @Test func aSecretIsMaskedInValuesAndProblems() {
        let setting = Setting(
            .tokenFile, "Test", .integer(1...2), isSecret: true, "A secret of a test.")
        let entry = ResolvedSettings.Entry(
            setting: setting, value: .integer(2), origin: .environment("WSM_X"))
        #expect(ConfigPrinting.shown(entry) == "********")
        #expect(ConfigPrinting.jsonValue(entry) == .string("********"))
    }
}

import ArgumentParser
import Foundation
import Testing

@testable import ServerSettings

/// The command line alone, as the program has it.
struct OptionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        helpNames: [.short, .long, .customShort("?")])

    @OptionGroup var options: ServerOptions
}

/// A value that each kind takes.
func sample(_ setting: Setting) -> String {
    switch setting.kind {
    case .text, .path: "x"
    case .integer: "7"
    case .number: "7.5"
    case .size: "2MiB"
    case .duration: "10ms"
    case .attempts: "3"
    case .flag: "true"
    case .list: "x"
    case .level: "debug"
    case .choice(let words, _): words[words.count - 1]
    }
}

struct SettingTableTests {
    @Test func everyNameHasOneRow() {
        #expect(Set(SettingTable.settings.map(\.name)) == Set(SettingName.allCases))
        #expect(SettingTable.settings.count == SettingName.allCases.count)
        let shorts = SettingTable.settings.compactMap(\.short)
        #expect(Set(shorts).count == shorts.count)
        let variables = SettingTable.settings.map(\.variable)
        #expect(Set(variables).count == variables.count)
    }

    @Test(arguments: SettingName.allCases) func everyRowIsAFlag(_ name: SettingName) throws {
        let setting = SettingTable[name]
        let isFlag = if case .flag = setting.kind { true } else { false }
        let command = try OptionsCommand.parse(
            isFlag ? [setting.flag] : [setting.flag, sample(setting)])
        #expect(command.options.given == [name: [sample(setting)]])
        if let short = setting.short {
            let command = try OptionsCommand.parse(["-\(short)", sample(setting)])
            #expect(command.options.given == [name: [sample(setting)]])
        }
    }

    @Test func everyDefaultIsAValue() throws {
        for setting in SettingTable.settings {
            guard let text = setting.defaultText else {
                #expect(setting.defaultNote != nil, "\(setting.name)")
                continue
            }
            let value = try setting.kind.parse(text)
            #expect(setting.kind.text(value) == text, "\(setting.name)")
        }
    }

    @Test func shortFormsAreThoseOfTheOlderService() {
        let shorts = Dictionary(
            uniqueKeysWithValues: SettingTable.settings.compactMap { setting in
                setting.short.map { ($0, setting.name) }
            })
        #expect(
            shorts == [
                "s": .httpPort, "g": .grpcPort, "l": .logLevel, "n": .pubsubName,
                "t": .stateStoreName,
            ])
    }

    @Test(arguments: ["-?", "-h", "--help"]) func helpIsAskedForLikeThere(_ flag: String) {
        let error = #expect(throws: (any Error).self) { try OptionsCommand.parse([flag]) }
        if let error {
            #expect(OptionsCommand.exitCode(for: error).isSuccess)
            #expect(OptionsCommand.fullMessage(for: error).contains("--grpc-port"))
        }
    }

    @Test func thePageIsMadeFromTheTable() throws {
        let url = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/configuration.md")
        let made = SettingTable.markdown()
        if ProcessInfo.processInfo.environment["WSM_REWRITE"] == "1" {
            try Data(made.utf8).write(to: url)
        }
        #expect(String(decoding: try Data(contentsOf: url), as: UTF8.self) == made)
    }
}

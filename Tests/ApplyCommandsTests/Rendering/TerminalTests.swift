import Testing

@testable import ApplyCommands

struct ProgressLineTests {
    @Test func liveLinesAreRewrittenAndNeverWiderThanTheTerminal() {
        var line = ProgressLine(mode: .live(width: 10))
        #expect(line.show("1 of 2", now: .zero) == "\r\u{1B}[K1 of 2")
        #expect(line.show("1 of 2", now: .zero) == "")
        #expect(line.show("a longer text", now: .zero) == "\r\u{1B}[Ka longer…")
        #expect(line.hide() == "\r\u{1B}[K")
        #expect(line.hide() == "")
    }

    @Test func plainLinesComeOnChangesAndNotTooOften() {
        var line = ProgressLine(mode: .plain)
        #expect(line.show("1 of 2", now: .zero) == "1 of 2\n")
        #expect(line.show("1 of 2", now: .seconds(9)) == "")
        #expect(line.show("2 of 2", now: .seconds(1)) == "")
        #expect(line.show("2 of 2", now: .seconds(2)) == "2 of 2\n")
        #expect(line.hide() == "")
    }

    @Test func silentIsSilent() {
        var line = ProgressLine(mode: .silent)
        #expect(line.show("1 of 2", now: .zero) == "")
        #expect(line.hide() == "")
    }
}

struct ColorChoiceTests {
    @Test(arguments: [
        (ColorChoice.auto, true, [:], true),
        (.auto, false, [:], false),
        (.auto, true, ["NO_COLOR": "1"], false),
        (.auto, true, ["NO_COLOR": ""], true),
        (.auto, true, ["TERM": "dumb"], false),
        (.always, false, ["NO_COLOR": "1"], true),
        (.never, true, [:], false),
    ])
    func coloursWhereItShould(
        _ choice: ColorChoice, _ isTerminal: Bool, _ environment: [String: String], _ colors: Bool
    ) {
        #expect(choice.colors(isTerminal: isTerminal, environment: environment) == colors)
    }
}

struct TerminalTextTests {
    @Test func controlCharactersAreReplaced() {
        #expect(TerminalText.safe("a\u{1B}[2J\u{9B}b\t") == "a\u{FFFD}[2J\u{FFFD}b\u{FFFD}")
        #expect(TerminalText.safe("a\tb", keeping: ["\t"]) == "a\tb")
        #expect(TerminalText.singleLine("a\r\nb\nc") == "a b c")
    }

    @Test func widthCountsColumns() {
        #expect(TerminalText.columns("abc") == 3)
        #expect(TerminalText.columns("日本") == 4)
        #expect(TerminalText.columns("é") == 1)
        #expect(TerminalText.columns("🙂") == 2)
    }

    @Test func cutsAtTheEndOrInside() {
        #expect(TerminalText.truncated("abcdef", to: 6) == "abcdef")
        #expect(TerminalText.truncated("abcdef", to: 4) == "abc…")
        #expect(
            TerminalText.truncatedInside("wss://host/path/x@trade", to: 16) == "wss://host…trade")
        #expect(TerminalText.truncated("日本語", to: 4) == "日…")
    }
}

struct TableTests {
    @Test func columnsAreAsWideAsTheirContent() {
        let table = Table(
            columns: [.init(title: "NAME"), .init(title: "N", isNumber: true), .init(title: "X")],
            rows: [["a", "100", ""], ["long", "7", "y"]])
        #expect(
            table.render(width: nil, style: .plain) == """
                NAME    N  X
                a     100
                long    7  y

                """)
    }

    @Test func urlsGiveWayFirstThenTheLastText() {
        let table = Table(
            columns: [
                .init(title: "A", shrink: .end(3)), .init(title: "URL", shrink: .inside(6)),
                .init(title: "B", shrink: .end(3)),
            ],
            rows: [["aaaaaa", "uuuuuuuuuu", "bbbbbb"]])
        #expect(table.render(width: 24, style: .plain).contains("aaaaaa  uuuuu…uu  bbbbbb\n"))
        #expect(table.render(width: 20, style: .plain).contains("aaaaaa  uuuu…u  bbb…\n"))
        #expect(table.render(width: 5, style: .plain).contains("aa…  uuuu…u  bb…\n"))
    }
}

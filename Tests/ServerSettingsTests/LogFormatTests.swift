import Testing

@testable import ServerSettings

struct LogFormatTests {
    @Test(arguments: LogFormat.allCases) func everyFormatHasAName(_ format: LogFormat) {
        #expect(LogFormat(rawValue: format.rawValue) == format)
    }
}

import Testing

@testable import Gateway

struct HTTPLimitsTests {
    @Test func aBodyMayBeAsLargeAsAMessageOfGRPC() {
        #expect(HTTPLimits.maxBodyBytes == 4_194_304)
    }
}

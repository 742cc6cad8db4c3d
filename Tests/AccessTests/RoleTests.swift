import Testing

@testable import Access

struct RoleTests {
    @Test func anAdminMayWhatAReaderMay() {
        #expect(Role.admin > Role.read)
    }
}

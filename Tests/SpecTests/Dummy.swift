import Testing
@testable import Spec
@Test func a() {}

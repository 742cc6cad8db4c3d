/// Looks again and again until a fact holds: the last resort where no event tells of it.
///
/// - Parameter limit: generous, since the test host is shared; a fact that holds costs no wait.
/// - Returns: whether it held in time.
package func eventually(
    within limit: Duration = .seconds(20), _ fact: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while try await !fact() {
        if ContinuousClock.now >= deadline { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}

/// Whether a fact holds all the time.
package func always(
    for stretch: Duration, _ fact: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now.advanced(by: stretch)
    while ContinuousClock.now < deadline {
        if try await !fact() { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}

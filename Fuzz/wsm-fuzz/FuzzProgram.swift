#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// Feeds one of our readers with what libFuzzer thinks of; `main` is in CFuzzer.
//
//     WSM_FUZZ_TARGET=codec|inflate|handshake|manifest wsm-fuzz [libFuzzer's arguments]
//
// A trap, a property that does not hold, or an input that takes too long ends the run and leaves the
// input in a file. `make fuzz` builds and runs it.

/// What libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    target(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}

private let target: @Sendable ([UInt8]) -> Void = {
    switch getenv("WSM_FUZZ_TARGET").map({ String(cString: $0) }) {
    case "codec": return fuzzCodec
    case "inflate": return fuzzInflate
    case "handshake": return fuzzHandshake
    case "manifest": return fuzzManifest
    default: fatalError("WSM_FUZZ_TARGET is none of codec, inflate, handshake, manifest")
    }
}()

/// Ends the run: libFuzzer keeps the input.
func require(_ isSo: Bool, _ property: @autoclosure () -> String) {
    if !isSo { fatalError(property()) }
}

/// Cuts an input into pieces whose sizes another input chooses.
func pieces(of bytes: [UInt8], by sizes: UInt8) -> [[UInt8]] {
    // One way of three: whole, byte by byte, or in pieces that grow.
    guard sizes & 3 != 0 else { return [bytes] }
    var pieces: [[UInt8]] = []
    var start = 0
    var size = Int(sizes >> 2) + 1
    while start < bytes.count {
        let end = min(start + (sizes & 3 == 1 ? 1 : size), bytes.count)
        pieces.append(Array(bytes[start..<end]))
        start = end
        size = size % 61 + 3
    }
    return pieces
}

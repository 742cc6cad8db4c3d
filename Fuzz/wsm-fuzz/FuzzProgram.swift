import CFuzzer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Feeds one of our readers with what libFuzzer thinks of.
///
///     wsm-fuzz codec|inflate|handshake|manifest [libFuzzer's arguments]
///
/// A trap, a property that does not hold, or an input that takes too long ends the run and leaves the
/// input in a file. `make fuzz` builds and runs it.
@main
struct FuzzProgram {
    static func main() {
        var arguments = CommandLine.arguments
        guard arguments.count > 1, let target = Self.targets[arguments[1]] else {
            print(
                "usage: wsm-fuzz \(Self.targets.keys.sorted().joined(separator: "|")) [ARGUMENTS]")
            exit(2)
        }
        arguments.remove(at: 1)
        // libFuzzer keeps them for its whole life.
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let status: Int32 = pointers.withUnsafeMutableBufferPointer { buffer in
            var count = Int32(buffer.count - 1)
            var base = buffer.baseAddress
            return LLVMFuzzerRunDriver(&count, &base, target)
        }
        exit(status)
    }

    private static let targets: [String: FuzzerCallback] = [
        "codec": { data, size in run(data, size, fuzzCodec) },
        "inflate": { data, size in run(data, size, fuzzInflate) },
        "handshake": { data, size in run(data, size, fuzzHandshake) },
        "manifest": { data, size in run(data, size, fuzzManifest) },
    ]

    private static func run(
        _ data: UnsafePointer<UInt8>?, _ size: Int, _ body: ([UInt8]) -> Void
    ) -> Int32 {
        body(Array(UnsafeBufferPointer(start: data, count: size)))
        return 0
    }
}

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

// 12 and 13: permessage-deflate (RFC 7692) over sizes, fragments, kinds of data and parameters.

extension ConformanceCatalogue {
    /// Size of a message and of its frames; the order is that of the suite.
    private static let shapes: [(size: Int, fragment: Int?)] =
        [16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].map { ($0, nil) }
        + [8192, 16_384, 32_768, 65_536, 131_072].map { ($0, 256) }
        + [1024, 4096, 32_768].map { (131_072, $0) }

    /// 12: five kinds of data with all as large as it can be.
    static let compression: [ConformanceCase] = SampleData.kinds.enumerated().flatMap {
        number, kind in
        compressed("12.\(number + 1)", kind, CompressionTerms())
    }

    /// 13: one kind of data and every combination of context and window. The suite varies the
    /// client's half, which a server may ask for; here the server's own varies along.
    static let compressionParameters: [ConformanceCase] = [
        (true, 15), (false, 15), (true, 9), (true, 15), (false, 9), (false, 15), (false, 9),
    ].enumerated().flatMap { number, parameters in
        var terms = CompressionTerms()
        (terms.clientKeepsContext, terms.clientWindowBits) = parameters
        (terms.serverKeepsContext, terms.serverWindowBits) = parameters
        // The fourth and the last twist the two halves, so that no half goes by the other's terms.
        if number == 3 { terms.serverWindowBits = 12 }
        if number == 6 { terms.serverKeepsContext = true }
        return compressed("13.\(number + 1)", SampleData.kinds[0], terms)
    }

    private static func compressed(
        _ part: String,
        _ kind: SampleData.Kind,
        _ terms: CompressionTerms
    ) -> [ConformanceCase] {
        shapes.enumerated().map { index, shape in
            ConformanceCase("\(part).\(index + 1)", terms: terms, .closedByServer) {
                let opcode = kind.isText ? ServerFrame.text : ServerFrame.binary
                let deflater = ServerDeflater(terms)
                var steps: [ConformanceCase.Step] = []
                var expected: [ConformanceCase.Event] = []
                var data = SampleData.Reader(kind)
                for count in 1...messages(of: shape.size) {
                    let payload = data.next(shape.size)
                    let deflated = deflater.deflate(payload)
                    let frames = ServerFrame.fragments(
                        opcode, deflated, of: shape.fragment ?? deflated.count, isCompressed: true)
                    steps += [.send(frames, chop: nil), .awaitEvents(count)]
                    expected.append(message(opcode, payload))
                }
                return (steps, expected)
            }
        }
    }
}

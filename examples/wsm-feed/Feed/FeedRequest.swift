import NIOHTTP1

/// What a client asked for: path, parameters of the query, headers.
struct FeedRequest: Sendable {
    var target: String
    var path: String
    var headers: [(name: String, value: String)]
    private let defaultRate: Double
    private var parameters: [String: String] = [:]

    init(_ head: HTTPRequestHead, defaultRate: Double) {
        self.defaultRate = defaultRate
        self.target = head.uri
        self.headers = head.headers.map { ($0.name, $0.value) }
        let parts = head.uri.split(separator: "?", maxSplits: 1)
        self.path = parts.first.map(String.init) ?? "/"
        guard parts.count == 2 else { return }
        for pair in parts[1].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            self.parameters[Self.decoded(sides[0])] = sides.count == 2 ? Self.decoded(sides[1]) : ""
        }
    }

    /// The subprotocols offered, in order.
    var subprotocols: [String] {
        self.headers.filter { $0.name.lowercased() == "sec-websocket-protocol" }
            .flatMap { $0.value.split(separator: ",") }
            .map { String($0.drop { $0 == " " }) }
    }

    func text(_ name: String, default fallback: String) -> String {
        self.parameters[name] ?? fallback
    }

    func text(_ name: String) -> String? { self.parameters[name] }

    /// A whole number, held within its range.
    func number(_ name: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
        let value = self.parameters[name].flatMap { Int($0) } ?? fallback
        return min(max(value, range.lowerBound), range.upperBound)
    }

    /// Messages a second, held within 0.01-1000.
    var rate: Double {
        let value = self.parameters["rate"].flatMap { Double($0) } ?? self.defaultRate
        return value.isNaN ? 1 : min(max(value, 0.01), 1000)
    }

    /// Undoes percent encoding; what is malformed stays as it is.
    private static func decoded(_ text: Substring) -> String {
        var output: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2,
                let value = UInt8(digits, radix: 16)
            {
                output.append(value)
                rest = rest.dropFirst(2)
            } else {
                output.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}

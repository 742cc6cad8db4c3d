import FoundationEssentials

/// Makes the ticks of one symbol: numbered, with a price that wanders and the wall clock's time.
struct TickSource {
    private let symbol: String
    private let size: Int
    private var sequence = 0
    private var cents = 6_400_000

    /// - Parameter size: The least number of bytes of a tick; shorter ones are padded.
    init(symbol: String, size: Int) {
        self.symbol = JSONScan.quoted(symbol)
        self.size = size
    }

    mutating func next() -> [UInt8] {
        self.sequence += 1
        self.cents += self.sequence * 7_919 % 201 - 100
        return tick(sequence, cents: cents, time: Int(Date().timeIntervalSince1970 * 1000))
    }

    /// The number that is due now.
    static func number(atRate rate: Double) -> Int {
        Int(Date().timeIntervalSince1970 * rate)
    }

    /// Tick `number` of a market: the same bytes for everybody.
    func tick(_ number: Int, atRate rate: Double) -> [UInt8] {
        tick(
            number, cents: 6_400_000 + number * 7_919 % 201,
            time: Int(Double(number) / rate * 1000))
    }

    private func tick(_ sequence: Int, cents: Int, time: Int) -> [UInt8] {
        let price = "\(cents / 100).\(cents % 100 / 10)\(cents % 10)"
        var tick = Array(
            """
            {"type":"tick","symbol":\(symbol),"sequence":\(sequence),\
            "price":\(price),"time":\(time)
            """.utf8)
        let missing = self.size - tick.count - 1
        let around = ",\"pad\":\"\"".utf8.count
        if missing > 0 {
            let padding = String(repeating: "x", count: max(0, missing - around))
            tick += Array(",\"pad\":\"\(padding)\"".utf8)
        }
        tick.append(UInt8(ascii: "}"))
        return tick
    }
}

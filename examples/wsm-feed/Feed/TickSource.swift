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
        let time = Int(Date().timeIntervalSince1970 * 1000)
        let price = "\(self.cents / 100).\(self.cents % 100 / 10)\(self.cents % 10)"
        var tick = Array(
            """
            {"type":"tick","symbol":\(self.symbol),"sequence":\(self.sequence),\
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

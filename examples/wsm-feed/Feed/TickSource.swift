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

    fileprivate func tick(_ sequence: Int, cents: Int, time: Int) -> [UInt8] {
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

/// The ticks of a market, which the clock numbers: the same bytes for everybody who asks for a symbol.
///
/// Number n of a symbol is due n/rate seconds after the epoch of Unix, less a part of 1/rate that
/// differs from symbol to symbol, so that a market of thousands does not speak all at once.
struct MarketTicks {
    private let source: TickSource
    private let rate: Double
    /// In ticks, from 0 to 1.
    private let phase: Double

    init(symbol: String, size: Int, rate: Double) {
        self.source = TickSource(symbol: symbol, size: size)
        self.rate = rate
        let hash = symbol.utf8.reduce(0 as UInt32) { ($0 &* 31 &+ UInt32($1)) &* 2_654_435_761 }
        self.phase = Double(hash) / Double(UInt32.max)
    }

    /// Ticks since the epoch of Unix, and the part of the next that has passed.
    private var position: Double { Date().timeIntervalSince1970 * self.rate + self.phase }

    /// The last number that is due.
    var due: Int { Int(self.position) }

    /// Seconds until the next is due.
    var untilNext: Double { (1 - self.position.truncatingRemainder(dividingBy: 1)) / self.rate }

    func tick(_ number: Int) -> [UInt8] {
        self.source.tick(
            number, cents: 6_400_000 + number * 7_919 % 201,
            time: Int((Double(number) - self.phase) / self.rate * 1000))
    }
}

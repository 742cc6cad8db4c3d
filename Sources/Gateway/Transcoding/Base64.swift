/// Base64 of RFC 4648, both alphabets.
enum Base64 {
    private static let letters = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in letters.enumerated() { table[Int(letter)] = UInt8(value) }
        table[Int(UInt8(ascii: "-"))] = 62
        table[Int(UInt8(ascii: "_"))] = 63
        return table
    }()

    /// The standard alphabet, padded.
    static func encode(_ bytes: some Collection<UInt8>, to out: inout [UInt8]) {
        out.reserveCapacity(out.count + (bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var held = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            held += 1
            guard held == 3 else { continue }
            for shift in [18, 12, 6, 0] as [UInt32] {
                out.append(letters[Int(group >> shift & 63)])
            }
            group = 0
            held = 0
        }
        guard held > 0 else { return }
        group <<= UInt32(8 * (3 - held))
        for index in 0..<4 {
            out.append(
                index <= held ? letters[Int(group >> UInt32(18 - 6 * index) & 63)] : 0x3D)
        }
    }

    /// Either alphabet, padded or not; `nil` for anything else.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(text.count / 4 * 3)
        var group: UInt32 = 0
        var held = 0
        var padding = 0
        for letter in text {
            if letter == 0x3D {
                padding += 1
                continue
            }
            let value = values[Int(letter)]
            guard value != 0xFF, padding == 0 else { return nil }
            group = group << 6 | UInt32(value)
            held += 1
            guard held == 4 else { continue }
            out += [UInt8(group >> 16 & 255), UInt8(group >> 8 & 255), UInt8(group & 255)]
            group = 0
            held = 0
        }
        guard held != 1, padding == 0 || held > 0 && padding == 4 - held else { return nil }
        if held == 2 { out.append(UInt8(group >> 4 & 255)) }
        if held == 3 { out += [UInt8(group >> 10 & 255), UInt8(group >> 2 & 255)] }
        return out
    }
}

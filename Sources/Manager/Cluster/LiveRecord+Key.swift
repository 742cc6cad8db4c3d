package import ManagerCore

extension LiveRecord {
    /// What the protocol calls an object's uid: FNV-1a, 64 bits, of its text.
    package static func key(ofUID uid: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in uid.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x0000_0100_0000_01b3
        }
        return hash
    }
}

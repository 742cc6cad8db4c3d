extension BinaryInteger {
    /// `1 object`, `2 objects`.
    func counted(_ noun: String) -> String {
        self == 1 ? "1 \(noun)" : "\(self) \(noun)s"
    }
}

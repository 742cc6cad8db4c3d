import ManagerAPI

/// The place of a message in a topic, as the `id` of a server-sent event: `epoch.position`.
///
/// Positions begin anew with each life of the server, which has an epoch of its own. A position
/// alone is taken for one of this life.
///
/// In a cluster positions count for each instance. There the place is followed by how far the
/// reader has come with each of them: `epoch.position;instance:life:position;…`.
struct TopicMark: Sendable, Hashable, CustomStringConvertible {
    /// Instances in one mark: as many as a cluster has. Those not heard of for longest are left out,
    /// and begin with the oldest held.
    static let mostInstances = 64
    /// Of an instance's name, in bytes.
    static let longestName = 253

    /// How far the reader has come with one instance.
    struct Instance: Sendable, Hashable {
        var name: String
        var life: UInt64
        var position: UInt64
    }

    /// 0 is not known.
    var epoch: UInt64
    var position: UInt64
    /// In the order in which they were last heard of.
    private(set) var instances: [Instance] = []

    init(_ message: Wsm_V1_TopicMessage) {
        epoch = message.epoch
        position = message.position
        note(message)
    }

    init?(_ text: String) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count <= Self.mostInstances + 1, let first = parts.first,
            let place = Self.place(first)
        else { return nil }
        (epoch, position) = place
        for part in parts.dropFirst() {
            guard let instance = Instance(part), self.instance(instance.name) == nil else {
                return nil
            }
            instances.append(instance)
        }
    }

    private static func place(_ text: Substring) -> (UInt64, UInt64)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let position = UInt64(parts[parts.count - 1]) else {
            return nil
        }
        guard parts.count == 2 else { return (0, position) }
        return UInt64(parts[0]).map { ($0, position) }
    }

    var description: String {
        "\(epoch).\(position)" + instances.map { ";\($0)" }.joined()
    }

    func instance(_ name: String) -> Instance? { instances.first { $0.name == name } }

    /// The reader has this message too.
    mutating func advance(to message: Wsm_V1_TopicMessage) {
        (epoch, position) = (message.epoch, message.position)
        note(message)
    }

    private mutating func note(_ message: Wsm_V1_TopicMessage) {
        guard !message.instance.isEmpty else {
            instances = []
            return
        }
        instances.removeAll { $0.name == message.instance }
        instances.append(
            Instance(
                name: message.instance, life: message.life, position: message.position))
        if instances.count > Self.mostInstances { instances.removeFirst() }
    }

    /// What follows the marked message begins with one that cannot have come after it.
    func isOfAnotherLife(than next: Wsm_V1_TopicMessage) -> Bool {
        if let known = instance(next.instance) { return known.life != next.life }
        // One that was not heard of before has nothing that could be missed.
        guard instances.isEmpty else { return false }
        return (epoch != 0 && epoch != next.epoch) || next.position <= position
    }
}

extension TopicMark.Instance: CustomStringConvertible {
    init?(_ text: Substring) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let name = Self.name(parts[0]), let life = UInt64(parts[1]),
            let position = UInt64(parts[2])
        else { return nil }
        self.init(name: name, life: life, position: position)
    }

    var description: String {
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return "\(text):\(life):\(position)"
    }

    private static func name(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            rest = rest.dropFirst(2)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
            bytes.append(value)
        }
        guard (1...TopicMark.longestName).contains(bytes.count) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}

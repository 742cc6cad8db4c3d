/// The names of all objects of one compilation, members of sets included.
///
/// A name is unique per kind; a member of a set is a connection.
struct NameRegistry {
    private struct Place {
        var position: SourcePosition
        /// The set whose member it is.
        var owner: String?

        var text: String {
            owner.map { "\(position), as a member of the set \($0)" } ?? "\(position)"
        }
    }

    private var connections: [String: Place] = [:]
    private var sets: [String: Place] = [:]

    /// Takes the names of an object in.
    /// - Returns: whether all of them were free; otherwise `report` names both places.
    mutating func register(
        _ result: DocumentDecoder.Result, _ report: inout DiagnosticCollector
    ) -> Bool {
        let object = result.object
        let place = Place(position: report.position(result.nameMark))
        switch object.body {
        case .connection:
            return Self.claim(
                object.metadata.name, "Connection", in: &connections, place, result.nameMark,
                "metadata.name", &report)
        case .connectionSet(let set):
            guard
                Self.claim(
                    object.metadata.name, "ConnectionSet", in: &sets, place, result.nameMark,
                    "metadata.name", &report)
            else { return false }
            var isFree = true
            for (member, mark) in zip(set.members, result.memberMarks) {
                let place = Place(
                    position: report.position(mark), owner: object.metadata.name)
                let isClaimed = Self.claim(
                    member.metadata.name, "Connection", in: &connections, place, mark, "spec.name",
                    &report)
                isFree = isFree && isClaimed
            }
            return isFree
        }
    }

    private static func claim(
        _ name: String, _ kind: String, in names: inout [String: Place], _ place: Place,
        _ mark: Mark, _ path: String, _ report: inout DiagnosticCollector
    ) -> Bool {
        guard let other = names.updateValue(place, forKey: name) else { return true }
        names[name] = other
        report.error(mark, path, "a \(kind) named \(name) is there already, at \(other.text)")
        return false
    }
}

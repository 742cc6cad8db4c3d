/// The facts of every record, side by side, and where those of a name are.
///
/// A copy costs a count of references, until one of the two is changed.
package struct DesiredTable: Sendable {
    /// Where facts stand, for as long as the record is there.
    package typealias Place = Int32

    /// `nil`: nobody's.
    private(set) var rows: [DesiredFacts?] = []
    private var places: [String: Place] = [:]
    private var free: [Place] = []

    package init() {}

    package init(_ records: some Sequence<(name: String, facts: DesiredFacts)>) {
        for (name, facts) in records { self[name] = facts }
    }

    /// Of how many records.
    package var count: Int { places.count }

    package subscript(name: String) -> DesiredFacts? {
        get { places[name].flatMap { rows[Int($0)] } }
        set {
            switch (places[name], newValue) {
            case (let place?, let facts?):
                rows[Int(place)] = facts
            case (let place?, nil):
                rows[Int(place)] = nil
                places[name] = nil
                free.append(place)
            case (nil, let facts?):
                add(name, facts)
            case (nil, nil):
                break
            }
        }
    }

    private mutating func add(_ name: String, _ facts: DesiredFacts) {
        if let place = free.popLast() {
            rows[Int(place)] = facts
            places[name] = place
        } else {
            places[name] = Place(rows.count)
            rows.append(facts)
        }
    }

    func place(of name: String) -> Place? { places[name] }

    /// Every record by its name, in no order.
    package func forEach(_ body: (_ name: String, _ place: Place, _ facts: DesiredFacts) -> Void) {
        for (name, place) in places {
            if let facts = rows[Int(place)] { body(name, place, facts) }
        }
    }
}

import ManagerCore

/// All that is desired beside all that is there, at one moment: what a resync looks at.
///
/// It decides by the same facts as a pass over one key. A key whose step does nothing costs no pass;
/// of the others each gets one, which compares again.
struct Comparison {
    /// Names whose step does something.
    var due: [String] = []
    /// Names whose step is to wait, and until when.
    var waiting: [(name: String, until: Moment)] = []
    /// How many are as they should be, on their way there, or blocked.
    var settledCount = 0

    init(
        _ desired: any DesiredState, _ control: any ConnectionControl, now: Moment,
        places: inout RecordPlaces
    ) {
        var records = RecordSearch(desired.desiredTable())
        control.forEachObserved { rows in
            for index in rows.indices {
                guard let observed = rows[index].facts else { continue }
                let record = records.record(
                    of: rows[index].name, observed, at: index, &places)
                let step = Plan.step(desired: record, observed: observed, now: now)
                if step.isSettled { settledCount += 1 } else { add(rows[index].name, step) }
            }
        }
        records.forEachNotFound { name, record in
            add(name, Plan.step(desired: record, observed: nil, now: now))
        }
    }

    private mutating func add(_ name: String, _ step: PlanStep) {
        switch step {
        case .keep, .blocked: settledCount += 1
        case .wait(let until): waiting.append((name, until))
        default: due.append(name)
        }
    }
}

extension PlanStep {
    /// Nothing is to be done, now or later.
    fileprivate var isSettled: Bool {
        switch self {
        case .keep, .blocked: true
        default: false
        }
    }
}

/// Where the records of the connections that are there were found the last time, by the place of the
/// connection.
///
/// It is looked at first: a record that is still there is told by its stamp, and costs no search of
/// its name. Whatever is not there is searched, so what stands here decides nothing.
struct RecordPlaces {
    private var places: [DesiredTable.Place] = []

    subscript(index: Int) -> DesiredTable.Place? {
        get { index < places.count && places[index] >= 0 ? places[index] : nil }
        set {
            while places.count <= index { places.append(-1) }
            places[index] = newValue ?? -1
        }
    }
}

/// Finds the records of connections, and tells in the end which ones it did not find.
private struct RecordSearch {
    private let table: DesiredTable
    private var isFound: [Bool]
    private var foundCount = 0

    init(_ table: DesiredTable) {
        self.table = table
        isFound = Array(repeating: false, count: table.rows.count)
    }

    mutating func record(
        of name: @autoclosure () -> String, _ observed: ObservedFacts, at index: Int,
        _ places: inout RecordPlaces
    ) -> DesiredFacts? {
        if let place = places[index].map(Int.init), place < table.rows.count,
            let record = table.rows[place], record.stamp == observed.stamp
        {
            found(place)
            return record
        }
        places[index] = table.place(of: name())
        guard let place = places[index].map(Int.init) else { return nil }
        found(place)
        return table.rows[place]
    }

    private mutating func found(_ place: Int) {
        foundCount += isFound[place] ? 0 : 1
        isFound[place] = true
    }

    func forEachNotFound(_ body: (_ name: String, _ record: DesiredFacts) -> Void) {
        guard foundCount < table.count else { return }
        table.forEach { name, place, record in
            if !isFound[Int(place)] { body(name, record) }
        }
    }
}

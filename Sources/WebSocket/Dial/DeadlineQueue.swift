internal import HeapModule
import NIOCore

/// Deadlines, the earliest first, most of which are taken back before they come.
///
/// Setting and taking back cost about as much with ten thousand of them as with one.
struct DeadlineQueue<Owner> {
    /// Tells one setting from all others.
    typealias Number = UInt64

    private struct Entry: Comparable {
        var due: NIODeadline
        var number: Number

        static func < (left: Entry, right: Entry) -> Bool {
            (left.due, left.number) < (right.due, right.number)
        }
    }

    /// Entries beyond the number of owners that are kept before they are swept.
    private static var slack: Int { 64 }

    private var owners: [Number: Owner] = [:]
    /// The first is set; further on may be such as were taken back.
    private var entries = Heap<Entry>()
    private var last: Number = 0

    /// The first deadline that is set.
    var next: NIODeadline? { self.entries.min?.due }

    mutating func set(_ due: NIODeadline, _ owner: Owner) -> Number {
        self.last += 1
        self.owners[self.last] = owner
        self.entries.insert(Entry(due: due, number: self.last))
        return self.last
    }

    /// Takes a deadline back; of no effect on one that has come.
    mutating func remove(_ number: Number) {
        guard self.owners.removeValue(forKey: number) != nil else { return }
        self.dropLeading()
        if self.entries.count > 2 * self.owners.count + Self.slack {
            self.entries = Heap(self.entries.unordered.filter { self.owners[$0.number] != nil })
        }
    }

    /// Takes an owner whose deadline has come, the earliest first.
    mutating func takeDue(_ now: NIODeadline) -> Owner? {
        guard let first = self.entries.min, first.due <= now else { return nil }
        self.entries.removeMin()
        defer { self.dropLeading() }
        return self.owners.removeValue(forKey: first.number)
    }

    private mutating func dropLeading() {
        while let first = self.entries.min, self.owners[first.number] == nil {
            self.entries.removeMin()
        }
    }
}

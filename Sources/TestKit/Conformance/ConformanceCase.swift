/// One case of the catalogue: what the server sends, what must come back, how it must end.
///
/// The catalogue is that of the Autobahn test suite, whose numbers it has; the scripts are ours.
package struct ConformanceCase: Sendable {
    /// What a client gives back.
    package enum Event: Sendable, Hashable {
        case text([UInt8])
        case binary([UInt8])
        case pong([UInt8])
    }

    package enum Step: Sendable {
        /// Bytes, in one write or, chopped, in writes of so many bytes each.
        case send([UInt8], chop: Int?)
        /// Goes on when so many events have come back.
        case awaitEvents(Int)
        /// Goes on after a while in which nothing but the events so far may have happened.
        case pause
    }

    /// How the connection must end.
    package enum End: Sendable, Hashable {
        /// All has come back: the server closes with 1000, the client answers alike.
        case closedByServer
        /// The script closes; the client answers with one of these, or without a code where that is
        /// allowed.
        case closedByScript([UInt16], mayBeEmpty: Bool = false)
        /// The client must find the fault and close with one of these.
        case failedByClient([UInt16])
    }

    /// As the suite numbers it: `5.19`.
    package var id: String
    package var end: End
    /// Nil where nothing is compressed.
    package var terms: CompressionTerms?
    /// Made when the case is played: a script may hold megabytes.
    package var script: @Sendable () -> (steps: [Step], expected: [Event])

    package init(
        _ id: String,
        terms: CompressionTerms? = nil,
        _ end: End,
        script: @escaping @Sendable () -> (steps: [Step], expected: [Event])
    ) {
        self.id = id
        self.end = end
        self.terms = terms
        self.script = script
    }

    /// A script of frames, each in a write of its own, chopped or not.
    package init(
        _ id: String,
        _ frames: [[UInt8]],
        chop: Int? = nil,
        expect expected: [Event] = [],
        _ end: End = .closedByServer
    ) {
        self.init(id, end) { (frames.map { .send($0, chop: chop) }, expected) }
    }

    /// `5` of `5.19`.
    package var group: String { String(self.id.prefix { $0 != "." }) }
}

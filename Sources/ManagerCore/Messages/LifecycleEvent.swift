import Spec

/// A fact in the life of a connection, as it is published on ``topic``.
///
/// Types and data fields are those of the older service, so that its consumers keep working; what
/// is new is only added. Ids of lifecycle events count on their own: their `source` differs from
/// that of messages, so that they leave no hole in a connection's message sequence.
package struct LifecycleEvent: Sendable, Hashable {
    /// A word: what is larger is apart, for thousands of events wait at one time.
    package enum Kind: Sendable, Hashable {
        /// `reason` is, as in the older service, the status before.
        case connecting(reason: StatusWord)
        case connected(reason: StatusWord)
        case disconnected(reason: StatusWord)
        /// One for each outage. `attempt` counts from 1.
        indirect case reconnecting(
            reason: StatusWord, attempt: Int, nextAttemptAt: WallTime?)
        /// Published before the event of the transition it causes.
        indirect case error(type: String, message: String)
        /// Messages may be missing between two points.
        indirect case gap(Gap)
    }

    /// A stretch of which nothing, or not everything, was published.
    package struct Gap: Sendable, Hashable {
        package enum Cause: String, Sendable, Hashable, CaseIterable {
            /// The socket was down.
            case disconnected
            /// The process was down.
            case restart
            /// A full buffer dropped messages by its policy.
            case overflow
            /// Another owner took over.
            case takeover
            /// The owner before handed over.
            case handover
        }

        /// How well a new owner found its place in what the one before had published.
        package enum Match: String, Sendable, Hashable, CaseIterable {
            /// Nothing is missing, nothing comes twice.
            case exact
            /// The frames fit at more than one place: what the new owner holds comes again.
            case ambiguous
            /// No place: what the new owner holds comes again, and frames before it may be missing.
            case none

            package init(_ match: DigestMatch) {
                switch match {
                case .exact, .behind: self = .exact
                case .ambiguous: self = .ambiguous
                case .none: self = .none
                }
            }
        }

        /// One end: as much of it as is known.
        package struct Edge: Sendable, Hashable {
            package var epoch: UInt64
            /// Of the last message before, or the first one after.
            package var sequence: UInt64?
            package var time: WallTime?

            package init(epoch: UInt64, sequence: UInt64? = nil, time: WallTime? = nil) {
                self.epoch = epoch
                self.sequence = sequence
                self.time = time
            }
        }

        package var from: Edge
        package var to: Edge
        package var cause: Cause
        /// How many are missing, where that is known.
        package var missed: UInt64?
        /// After a change of owner in which the new one had listened before.
        package var matched: Match?

        package init(
            from: Edge, to: Edge, cause: Cause, missed: UInt64? = nil, matched: Match? = nil
        ) {
            self.matched = matched
            self.from = from
            self.to = to
            self.cause = cause
            self.missed = missed
        }
    }

    package static let topic = "websocketmanager.lifecycle"
    package static let source = "urn:com.virtufin.websocketmanager"

    /// The connection's id in the API: its name.
    package var connectionID: String
    /// Without query, fragment and credentials.
    package var url: String
    package var instanceID: String
    package var kind: Kind
    /// Messages published since the last event by calls that ended later than ownership allows for.
    package var publishedLate: UInt64 = 0

    package init(connectionID: String, url: String, instanceID: String, kind: Kind) {
        self.connectionID = connectionID
        self.url = url
        self.instanceID = instanceID
        self.kind = kind
    }

    /// The CloudEvents type.
    package var type: String {
        switch kind {
        case .connecting: "com.virtufin.websocketmanager.connection.connecting"
        case .connected: "com.virtufin.websocketmanager.connection.connected"
        case .disconnected: "com.virtufin.websocketmanager.connection.disconnected"
        case .reconnecting: "com.virtufin.websocketmanager.connection.reconnecting"
        case .error: "com.virtufin.websocketmanager.connection.error"
        case .gap: "com.virtufin.websocketmanager.connection.gap"
        }
    }

    /// `<entity type>/<entity id>`.
    static func subject(of connectionID: String) -> String { "connection/" + connectionID }

    /// The event for the bus.
    ///
    /// - Parameters:
    ///   - uid: of the connection; see ``ConnectionUID/ofLifecycleEvents``.
    ///   - sequence: the number among its lifecycle events under this permit.
    package func run(
        uid: ConnectionUID, sequence: UInt64, time: WallTime, permit: any PublishPermit
    ) -> EventRun {
        if publishedLate > 0 {
            return EventRun(block(uid: uid, sequence: sequence, time: time, permit: permit))
        }
        return EventRun(
            LifecycleNote(self, uid: uid, sequence: sequence, time: time, permit: permit))
    }

    /// The event as it is read.
    func block(
        uid: ConnectionUID, sequence: UInt64, time: WallTime, permit: any PublishPermit
    ) -> EventRun.Block {
        EventRun.Block(
            origin: EventOrigin(of: self, uid: uid, permit: permit), topic: Self.topic, time: time,
            kind: .json, data: .auto, delivery: LifecycleNote.delivery, firstSequence: sequence,
            payload: dataJSON(), ends: [])
    }
}

// MARK: Data

extension LifecycleEvent {
    /// As many bytes as ``dataJSON()`` has where nothing in it is escaped, or somewhat more.
    var dataBytes: Int {
        let texts = connectionID.utf8.count + url.utf8.count + instanceID.utf8.count
        // Beside the texts: keys, the longest numbers, times.
        return switch kind {
        case .connecting, .connected, .disconnected: 80 + texts
        case .reconnecting: 160 + texts
        case .error(let type, let message): 96 + texts + type.utf8.count + message.utf8.count
        case .gap: 384 + texts
        }
    }

    /// The `data` of the event: one JSON object.
    package func dataJSON() -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        JSONBytes.appendMember("connection_id", connectionID, to: &bytes)
        JSONBytes.appendMember("url", url, to: &bytes)
        JSONBytes.appendMember("instance_id", instanceID, to: &bytes)
        switch kind {
        case .connecting(let reason), .connected(let reason), .disconnected(let reason):
            JSONBytes.appendMember("reason", reason.rawValue, to: &bytes)
        case .reconnecting(let reason, let attempt, let nextAttemptAt):
            JSONBytes.appendMember("reason", reason.rawValue, to: &bytes)
            JSONBytes.appendKey("attempt", to: &bytes)
            JSONBytes.appendDecimal(UInt64(max(0, attempt)), to: &bytes)
            if let nextAttemptAt {
                JSONBytes.appendMember("next_attempt_at", nextAttemptAt.rfc3339, to: &bytes)
            }
        case .error(let type, let message):
            JSONBytes.appendMember("error_type", type, to: &bytes)
            JSONBytes.appendMember("error_message", message, to: &bytes)
        case .gap(let gap):
            gap.append(to: &bytes)
        }
        if publishedLate > 0 {
            JSONBytes.appendKey("published_late", to: &bytes)
            JSONBytes.appendDecimalString(publishedLate, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

extension LifecycleEvent.Gap {
    /// Appends `"from":{…},"to":{…},"cause":"…"`; numbers as strings, as everywhere in our events.
    fileprivate func append(to bytes: inout [UInt8]) {
        JSONBytes.appendKey("from", to: &bytes)
        from.append(to: &bytes)
        JSONBytes.appendKey("to", to: &bytes)
        to.append(to: &bytes)
        JSONBytes.appendMember("cause", cause.rawValue, to: &bytes)
        if let missed {
            JSONBytes.appendKey("missed", to: &bytes)
            JSONBytes.appendDecimalString(missed, to: &bytes)
        }
        if let matched { JSONBytes.appendMember("matched", matched.rawValue, to: &bytes) }
    }
}

extension LifecycleEvent.Gap.Edge {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        JSONBytes.appendKey("epoch", to: &bytes)
        JSONBytes.appendDecimalString(epoch, to: &bytes)
        if let sequence {
            JSONBytes.appendKey("sequence", to: &bytes)
            JSONBytes.appendDecimalString(sequence, to: &bytes)
        }
        if let time { JSONBytes.appendMember("time", time.rfc3339, to: &bytes) }
        bytes.append(UInt8(ascii: "}"))
    }
}

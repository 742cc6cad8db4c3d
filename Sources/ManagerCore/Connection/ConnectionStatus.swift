import Spec

/// What is true of a connection now, in one word.
package enum Phase: String, Sendable, Hashable, CaseIterable {
    case pending = "Pending"
    case connecting = "Connecting"
    case connected = "Connected"
    case reconnecting = "Reconnecting"
    case disconnected = "Disconnected"
    case stalled = "Stalled"
    case closing = "Closing"

    package var statusWord: StatusWord {
        switch self {
        case .pending, .connecting: .connecting
        case .connected: .connected
        case .reconnecting: .reconnecting
        case .disconnected, .stalled, .closing: .disconnected
        }
    }
}

/// The `status` string of `virtufin.WebSocketManager`.
package enum StatusWord: String, Sendable, Hashable, CaseIterable {
    case connecting
    case connected
    case reconnecting
    case disconnected
}

/// Why a connection makes no progress without an edit, a `restart` or a missing thing turning up.
package enum StallReason: Sendable, Hashable {
    /// `reconnect.maxAttempts` is used up.
    case attemptsExhausted
    /// `autoReconnect` is off and the one dial is spent.
    case reconnectDisabled
    /// A secret cannot be read; the sentence names it. Looked at again by itself.
    case secretUnavailable(String)
    /// The egress guard refused every address of the host; the sentence names one and the flag.
    /// Dialled again by itself, since a name may get another address.
    case addressRefused(String)

    package var reason: String {
        switch self {
        case .attemptsExhausted: "AttemptsExhausted"
        case .reconnectDisabled: "ReconnectDisabled"
        case .secretUnavailable: "SecretUnavailable"
        case .addressRefused: "AddressRefused"
        }
    }
}

/// Counters of one connection since the process started.
package struct TrafficCounters: Sendable, Hashable {
    package var receivedMessages: UInt64 = 0
    /// Of these, the text messages.
    package var receivedTexts: UInt64 = 0
    /// Of these, those above `maxMessageSize`, of which only the head was read.
    package var unreadMessages: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    package var lastReceivedAt: WallTime?
    package var lastWasText = true
    package var published: UInt64 = 0
    package var dropped = DropCounters()
    package var bufferedMessages = 0
    package var bufferedBytes = 0

    package init() {}

}

/// One connection as it is, at one moment: the other side of the diff.
@dynamicMemberLookup
package struct ObservedConnection: Sendable, Hashable {
    package var traffic: TrafficCounters
    package var facts: ConnectionFacts

    package init(traffic: TrafficCounters = TrafficCounters(), facts: ConnectionFacts) {
        self.traffic = traffic
        self.facts = facts
    }

    package init(name: String, uid: ConnectionUID, generation: Int64) {
        self.init(facts: ConnectionFacts(name: name, uid: uid, generation: generation))
    }

    @inlinable
    package subscript<Value>(dynamicMember fact: KeyPath<ConnectionFacts, Value>) -> Value {
        facts[keyPath: fact]
    }

    @inlinable
    package subscript<Value>(
        dynamicMember fact: WritableKeyPath<ConnectionFacts, Value>
    ) -> Value {
        get { facts[keyPath: fact] }
        set { facts[keyPath: fact] = newValue }
    }
}

/// What is true of a connection, but for its counters, which change with each read.
///
/// A pointer: the connection's own copy and the one that others see have it in common.
package struct ConnectionFacts: Sendable, Hashable {
    private var place: Place

    /// Of the facts. Whoever changes them and is not alone in holding it takes another first, so
    /// that all that is edited between two hand-overs costs one copy.
    private final class Place: @unchecked Sendable {
        var facts: Facts

        init(_ facts: Facts) { self.facts = facts }
    }

    /// The small ones stand where a larger one leaves room.
    private struct Facts: Sendable, Hashable {
        var name: String
        var uid: ConnectionUID
        var hasBeenOpen = false
        var isExhausted = false
        var hasFirstMessage = false
        var attempt: Int32 = 0
        var state = ConnectionStateMachine.State.idle
        var generation: Int64
        var connectedAt: WallTime?
        @Seldom var nextAttemptAt: WallTime? = nil
        @Seldom var lastFailure: LinkFailure? = nil
        @Seldom var lastClose: LinkClose? = nil
        @Seldom var missingSecret: String? = nil
        @Seldom var refusedAddress: String? = nil
        @Seldom var subprotocol: String? = nil
        @Seldom var compression: String? = nil
        @Seldom var publishFailure: String? = nil
        var remoteAddress: String?
        var conditionsSince = ConditionTimes()
    }

    package init(name: String, uid: ConnectionUID, generation: Int64) {
        place = Place(Facts(name: name, uid: uid, generation: generation))
    }

    private mutating func edit(_ change: (inout Facts) -> Void) {
        if !isKnownUniquelyReferenced(&place) { place = Place(place.facts) }
        change(&place.facts)
    }

    package static func == (one: ConnectionFacts, other: ConnectionFacts) -> Bool {
        one.place === other.place || one.place.facts == other.place.facts
    }

    package func hash(into hasher: inout Hasher) {
        place.facts.hash(into: &hasher)
    }

    /// Takes over what the machine knows.
    package mutating func read(_ machine: ConnectionStateMachine, now: Moment) {
        edit {
            $0.state = machine.state
            $0.hasBeenOpen = machine.hasBeenOpen
            $0.attempt = Int32(clamping: machine.attempt(now: now))
            $0.isExhausted = machine.isExhausted
            $0.lastFailure = machine.lastFailure
            $0.lastClose = machine.lastClose
        }
    }
}

extension ConnectionFacts {
    package var name: String {
        get { place.facts.name }
        set { if name != newValue { edit { $0.name = newValue } } }
    }

    package var uid: ConnectionUID {
        get { place.facts.uid }
        set { if uid != newValue { edit { $0.uid = newValue } } }
    }

    package var state: ConnectionStateMachine.State {
        get { place.facts.state }
        set { if state != newValue { edit { $0.state = newValue } } }
    }

    /// The generation whose spec is in force.
    package var generation: Int64 {
        get { place.facts.generation }
        set { if generation != newValue { edit { $0.generation = newValue } } }
    }

    package var hasBeenOpen: Bool {
        get { place.facts.hasBeenOpen }
        set { if hasBeenOpen != newValue { edit { $0.hasBeenOpen = newValue } } }
    }

    package var attempt: Int {
        get { Int(place.facts.attempt) }
        set { if attempt != newValue { edit { $0.attempt = Int32(clamping: newValue) } } }
    }

    package var isExhausted: Bool {
        get { place.facts.isExhausted }
        set { if isExhausted != newValue { edit { $0.isExhausted = newValue } } }
    }

    /// Wall-clock twin of the machine's instant, for people; so is ``nextAttemptAt``.
    package var connectedAt: WallTime? {
        get { place.facts.connectedAt }
        set { if connectedAt != newValue { edit { $0.connectedAt = newValue } } }
    }

    package var nextAttemptAt: WallTime? {
        get { place.facts.nextAttemptAt }
        set { if nextAttemptAt != newValue { edit { $0.nextAttemptAt = newValue } } }
    }

    package var lastFailure: LinkFailure? {
        get { place.facts.lastFailure }
        set { if lastFailure != newValue { edit { $0.lastFailure = newValue } } }
    }

    package var lastClose: LinkClose? {
        get { place.facts.lastClose }
        set { if lastClose != newValue { edit { $0.lastClose = newValue } } }
    }

    package var missingSecret: String? {
        get { place.facts.missingSecret }
        set { if missingSecret != newValue { edit { $0.missingSecret = newValue } } }
    }

    /// The last dial ended at the egress guard; its sentence.
    package var refusedAddress: String? {
        get { place.facts.refusedAddress }
        set { if refusedAddress != newValue { edit { $0.refusedAddress = newValue } } }
    }

    package var subprotocol: String? {
        get { place.facts.subprotocol }
        set { if subprotocol != newValue { edit { $0.subprotocol = newValue } } }
    }

    /// What was agreed on about compression, in the words of RFC 7692; `nil` where nothing was.
    package var compression: String? {
        get { place.facts.compression }
        set { if compression != newValue { edit { $0.compression = newValue } } }
    }

    package var remoteAddress: String? {
        get { place.facts.remoteAddress }
        set { if remoteAddress != newValue { edit { $0.remoteAddress = newValue } } }
    }

    /// One message of the present socket is with the bus (with no topic: received).
    package var hasFirstMessage: Bool {
        get { place.facts.hasFirstMessage }
        set { if hasFirstMessage != newValue { edit { $0.hasFirstMessage = newValue } } }
    }

    /// The bus refuses or does not answer; the sentence says what it said.
    package var publishFailure: String? {
        get { place.facts.publishFailure }
        set { if publishFailure != newValue { edit { $0.publishFailure = newValue } } }
    }

    /// Where the transition times of the next conditions come from.
    package var conditionsSince: ConditionTimes {
        get { place.facts.conditionsSince }
        set { if conditionsSince != newValue { edit { $0.conditionsSince = newValue } } }
    }
}

/// One condition in the Kubernetes manner.
package struct Condition: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable {
        case yes = "True"
        case no = "False"
        case unknown = "Unknown"
    }

    /// A status, and since when it is so.
    package struct Since: Sendable, Hashable {
        package var status: Status
        package var time: WallTime
    }

    package var type: String
    package var status: Status
    /// CamelCase, stable.
    package var reason: String
    package var message: String
    package var observedGeneration: Int64
    package var lastTransitionTime: WallTime
}

/// Desired and observed read together: the status block of a `Connection`.
package struct ConnectionStatus: Sendable, Hashable {
    package var phase: Phase
    package var stall: StallReason?
    package var observed: ObservedConnection
    package var conditions: [Condition]

    package var ready: Condition { conditions[0] }
}

package import Spec

/// What is true of a connection now, in one word.
package enum Phase: String, Sendable, Hashable, CaseIterable {
    case pending = "Pending"
    case connecting = "Connecting"
    case connected = "Connected"
    case reconnecting = "Reconnecting"
    case disconnected = "Disconnected"
    case stalled = "Stalled"
    case closing = "Closing"

    /// The `status` string of `virtufin.WebSocketManager`.
    package var statusWord: String {
        switch self {
        case .pending, .connecting: "connecting"
        case .connected: "connected"
        case .reconnecting: "reconnecting"
        case .disconnected, .stalled, .closing: "disconnected"
        }
    }
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
package struct ObservedConnection: Sendable, Hashable {
    package var name: String
    package var uid: ConnectionUID
    package var state: ConnectionStateMachine.State = .idle
    /// The generation whose spec is in force.
    package var generation: Int64
    package var hasBeenOpen = false
    package var attempt = 0
    package var isExhausted = false
    /// Wall-clock twins of the machine's instants, for people.
    package var connectedAt: WallTime?
    package var nextAttemptAt: WallTime?
    @Seldom package var lastFailure: LinkFailure? = nil
    @Seldom package var lastClose: LinkClose? = nil
    @Seldom package var missingSecret: String? = nil
    /// The last dial ended at the egress guard; its sentence.
    @Seldom package var refusedAddress: String? = nil
    @Seldom package var subprotocol: String? = nil
    /// What was agreed on about compression, in the words of RFC 7692; `nil` where nothing was.
    @Seldom package var compression: String? = nil
    package var remoteAddress: String?
    /// One message of the present socket is with the bus (with no topic: received).
    package var hasFirstMessage = false
    /// The bus refuses or does not answer; the sentence says what it said.
    @Seldom package var publishFailure: String? = nil
    package var traffic = TrafficCounters()
    /// Of the conditions as last computed, in their order: where the transition times of the next
    /// ones come from.
    package var conditionsSince: [Condition.Since] = []

    package init(name: String, uid: ConnectionUID, generation: Int64) {
        self.name = name
        self.uid = uid
        self.generation = generation
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

    /// All that the next computation needs of this one.
    package var conditionsSince: [Condition.Since] {
        conditions.map { Condition.Since(status: $0.status, time: $0.lastTransitionTime) }
    }
}

import ManagerCore

/// What `/metrics` says: Prometheus' text format, of labels with few values only.
enum MetricsText {
    static func page(version: String, fleet: ConnectionFleet, store: TwoTierStore) -> String {
        var connections = Dictionary(
            uniqueKeysWithValues: Set(Phase.allCases.map(\.statusWord)).map { ($0, 0) })
        var buffered = 0
        var bufferedBytes = 0
        for connection in fleet.all {
            let observed = connection.observed
            connections[word(observed.state, observed), default: 0] += 1
            buffered += observed.traffic.bufferedMessages
            bufferedBytes += observed.traffic.bufferedBytes
        }
        var page = Page()
        page.begin("wsm_build_info", "gauge", "Version of the program, as a label.")
        page.sample(labels: ["version": version], 1)
        page.begin("wsm_connections", "gauge", "Connections of this process by state.")
        for (state, count) in connections.sorted(by: { $0.key < $1.key }) {
            page.sample(labels: ["state": state], count)
        }
        page.begin("wsm_connections_declared", "gauge", "Connections that are to be there.")
        page.sample(store.desiredNames().count)
        page.begin("wsm_buffered_messages", "gauge", "Messages that wait for the bus.")
        page.sample(buffered)
        page.begin("wsm_buffered_bytes", "gauge", "Bytes of the messages that wait for the bus.")
        page.sample(bufferedBytes)
        return page.text
    }

    private static func word(
        _ state: ConnectionStateMachine.State, _ observed: ObservedConnection
    ) -> String {
        if observed.isOpen { return Phase.connected.statusWord }
        return observed.hasBeenOpen
            ? Phase.reconnecting.statusWord : Phase.connecting.statusWord
    }

    private struct Page {
        private(set) var text = ""
        private var name = ""

        mutating func begin(_ name: String, _ type: String, _ help: String) {
            self.name = name
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        }

        mutating func sample(labels: [String: String] = [:], _ value: Int) {
            let pairs = labels.sorted { $0.key < $1.key }
                .map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            text +=
                name + (pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") + " \(value)\n"
        }

        private static func escaped(_ value: String) -> String {
            value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                .replacing("\n", with: "\\n")
        }
    }
}

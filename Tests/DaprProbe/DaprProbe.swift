import Dapr
import Manager
import TestKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs the contracts of the ports against a real sidecar or a stand-in, for the interop tests.
///
///     wsm-dapr-probe bus GRPC_PORT COMPONENT     the contract of Bus
///     wsm-dapr-probe state GRPC_PORT COMPONENT   the contract of StateStore, twice over
///     wsm-dapr-probe trial GRPC_PORT COMPONENT   what a server tries out at its start
///     wsm-dapr-probe races GRPC_PORT COMPONENT   many writers of few keys; losses are counted
///     wsm-dapr-probe groups GRPC_PORT COMPONENT  a thousand records at once
///     wsm-dapr-probe large GRPC_PORT COMPONENT   more than one message of 1 MiB can hold
///
/// Prints `passed`, or what was wrong, with exit code 1.
@main
struct DaprProbe {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let port = Int(arguments[2]) else {
            print("usage: wsm-dapr-probe bus|state|trial|races|groups|large GRPC_PORT COMPONENT")
            exit(2)
        }
        do {
            let client = try DaprClient(
                DaprConfiguration(
                    environment: DaprEnvironment(
                        grpc: .loopback(port: port), http: .loopback(port: port))))
            try await run(arguments[1], client, component: arguments[3])
            await client.close()
            print("passed")
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }

    private static func run(_ what: String, _ client: DaprClient, component: String) async throws {
        guard what != "bus" else {
            let bus = DaprBus(client: client, pubsub: component)
            try await BusConformance.checkAll(bus)
            return bus.close()
        }
        let metadata = try await client.metadata(within: .seconds(5))
        let store = DaprStateStore(
            client: client,
            component: try DaprStateStore.component(named: component, of: metadata))
        switch what {
        case "state":
            // Twice, so that nothing rests on a store that was empty.
            for _ in 0..<2 { try await StateStoreConformance.checkAll(FreshKeys(store)) }
        case "trial": try await store.tryOut()
        case "races": try await Races(FreshKeys(store)).run()
        case "groups": try await groups(FreshKeys(store))
        case "large": try await large(FreshKeys(store))
        default: throw ConformanceFailure(description: "there is no probe \(what)")
        }
    }

    private static func groups(_ store: any StateStore) async throws {
        let writes = (0..<1_000).map {
            StateWrite(key: "\($0)", value: Array("\($0)".utf8), condition: .absent)
        }
        try await writeAll(writes, to: store)
        let entries = try await store.bulkGet(writes.map(\.key))
        guard writes.allSatisfy({ entries[$0.key]?.value == $0.value }) else {
            throw ConformanceFailure(description: "\(entries.count) of 1000 records were read")
        }
    }

    private static func large(_ store: any StateStore) async throws {
        let writes = (0..<20).map {
            StateWrite(
                key: "\($0)", value: [UInt8](repeating: UInt8($0), count: 200_000),
                condition: .absent)
        }
        try await writeAll(writes, to: store)
        let entries = try await store.bulkGet(writes.map(\.key))
        guard writes.allSatisfy({ entries[$0.key]?.value == $0.value }) else {
            throw ConformanceFailure(description: "\(entries.count) of 20 records were read")
        }
        let outcomes = await store.write([
            StateWrite(
                key: "huge", value: [UInt8](repeating: 1, count: 2 << 20), condition: .absent)
        ])
        guard case .unknown(let sentence)? = outcomes.first,
            sentence.contains("--dapr-max-body-size"), try await store.get("huge") == nil
        else { throw ConformanceFailure(description: "2 MiB were answered with \(outcomes)") }
    }

    private static func writeAll(_ writes: [StateWrite], to store: any StateStore) async throws {
        for (write, outcome) in zip(writes, await store.write(writes)) {
            guard case .applied = outcome else {
                throw ConformanceFailure(description: "\(write.key) is \(outcome)")
            }
        }
    }
}

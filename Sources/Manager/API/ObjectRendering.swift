import ManagerAPI
import ManagerCore
import Spec

/// Objects as the declarative API shows them: the manifest, what the server adds, and the status.
enum ObjectRendering {
    /// The manifest of a connection as it stands: what its keeper declares, and for one made by the
    /// API what its calls set. Applying it again changes nothing.
    static func manifest(_ desired: DesiredConnection) -> ConnectionManifest {
        var metadata = Metadata(
            name: desired.name, labels: desired.labels, annotations: desired.annotations)
        if let set = desired.connectionSet {
            metadata.annotations[Metadata.connectionSetAnnotation] = set
        }
        var declared = desired.declared
        var spec = desired.spec
        if desired.keeper == .grpc {
            metadata.labels = desired.effectiveLabels
            spec = desired.effectiveSpec
            declared = ["url", "autoReconnect"]
            if spec.topic != nil { declared.insert("topic") }
        }
        return ConnectionManifest(metadata: metadata, spec: spec, declared: declared)
    }

    static func json(_ view: ConnectionOperations.View) -> [UInt8] {
        let desired = view.record.desired
        let manifest = ManifestRenderer.json(manifest(desired))
        return complete(
            manifest,
            server: [
                ("uid", .string(desired.uid.rawValue)),
                ("generation", .number(desired.generation)),
                ("resourceVersion", .string("\(desired.generation)")),
                ("creationTimestamp", .string(desired.createdAt.rfc3339)),
                ("managers", managers(of: desired)),
            ], status: status(view.status, desired: desired))
    }

    static func json(_ record: ConnectionSetRecord) -> [UInt8] {
        complete(
            record.canonical,
            server: [
                ("uid", .string(record.uid)), ("generation", .number(record.generation)),
                ("resourceVersion", .string("\(record.generation)")),
                ("creationTimestamp", .string(record.createdAt.rfc3339)),
                (
                    "managers",
                    .array(
                        record.managers.map { manager($0, fields: ["metadata", "spec"]) })
                ),
            ], status: .object([.init("members", .number(record.members.count))]))
    }

    /// Who declares which fields: managers of the manifest, then what API calls set.
    private static func managers(of desired: DesiredConnection) -> JSONValue {
        var managers: [JSONValue] = []
        if let sole = desired.managers.sole {
            let paths = desired.declaredManifest.declaredPaths
            let made: Set = desired.keeper == .grpc ? ["url", "autoReconnect"] : []
            managers.append(manager(sole, fields: paths.union(made).sorted()))
        }
        managers += desired.managers.shares.map { manager($0.owner, fields: $0.fields.sorted()) }
        let called = Dictionary(grouping: desired.overlayPaths) { desired.overlayOwner(of: $0) }
        managers += called.sorted { $0.key.since < $1.key.since }
            .map { manager($0.key, fields: $0.value) }
        return .array(managers)
    }

    private static func manager(_ owner: FieldOwner, fields: [String]) -> JSONValue {
        object([
            ("manager", .string(owner.manager)), ("since", .string(owner.since.rfc3339)),
            ("fields", .array(fields.map { .string($0) })),
        ])
    }

    /// Puts the server's metadata and the status into a manifest.
    private static func complete(
        _ manifest: [UInt8], server: [(String, JSONValue)], status: JSONValue
    ) -> [UInt8] {
        guard case .object(let members)? = try? JSONValue.parse(manifest) else { return manifest }
        var complete = members.map { member -> JSONValue.Member in
            guard member.key == "metadata", case .object(let fields) = member.value else {
                return member
            }
            let added = server.map { JSONValue.Member($0.0, $0.1) }
            let kept = fields.filter { field in !server.contains { $0.0 == field.key } }
            return JSONValue.Member("metadata", .object(kept + added))
        }
        complete.append(JSONValue.Member("status", status))
        return JSONValue.object(complete).serialized()
    }

    // MARK: Status

    private static func status(
        _ status: ConnectionStatus, desired: DesiredConnection
    ) -> JSONValue {
        let seen = status.observed
        return object([
            ("phase", .string(status.phase.rawValue)),
            ("conditions", .array(status.conditions.map(condition))),
            ("observedGeneration", .number(seen.generation)),
            ("connectedAt", seen.connectedAt.map { .string($0.rfc3339) }),
            ("attempt", .number(seen.attempt)),
            ("nextAttemptAt", seen.nextAttemptAt.map { .string($0.rfc3339) }),
            ("lastError", seen.lastFailure.map(failure)), ("lastClose", seen.lastClose.map(close)),
            ("subprotocol", seen.subprotocol.map { .string($0) }),
            ("compression", seen.compression.map { .string($0) }),
            ("remoteAddress", seen.remoteAddress.map { .string($0) }),
            ("topic", desired.effectiveTopic.map { .string($0) }),
            (
                "received",
                object([
                    ("messages", .number(seen.traffic.receivedMessages)),
                    ("bytes", .number(seen.traffic.receivedBytes)),
                    ("lastAt", seen.traffic.lastReceivedAt.map { .string($0.rfc3339) }),
                ])
            ),
            ("published", .number(seen.traffic.published)),
            (
                "dropped",
                .object(
                    seen.traffic.dropped.nonZero.map {
                        .init($0.reason.rawValue, .number($0.count))
                    })
            ),
            (
                "buffered",
                object([
                    ("messages", .number(seen.traffic.bufferedMessages)),
                    ("bytes", .number(seen.traffic.bufferedBytes)),
                ])
            ),
        ])
    }

    private static func condition(_ condition: Condition) -> JSONValue {
        object([
            ("type", .string(condition.type)), ("status", .string(condition.status.rawValue)),
            ("reason", .string(condition.reason)), ("message", .string(condition.message)),
            ("observedGeneration", .number(condition.observedGeneration)),
            ("lastTransitionTime", .string(condition.lastTransitionTime.rfc3339)),
        ])
    }

    private static func failure(_ failure: LinkFailure) -> JSONValue {
        object([
            ("class", .string(failure.failureClass.rawValue)), ("code", .string(failure.code)),
            ("message", .string(failure.message)), ("at", .string(failure.at.rfc3339)),
        ])
    }

    private static func close(_ close: LinkClose) -> JSONValue {
        object([
            ("code", .number(Int(close.code))), ("reason", .string(close.reason)),
            ("by", .string(close.by.rawValue)), ("at", .string(close.at.rfc3339)),
        ])
    }

    private static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(members.compactMap { key, value in value.map { .init(key, $0) } })
    }
}

/// A fact about the manifest directory, as it is published on the lifecycle topic.
package struct ManifestsEvent: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The directory was applied. `problems` are of objects that another set has.
        case applied(Counts, revision: Int64, problems: [String])
        /// Nothing was changed; what was applied last stays in force.
        case refused(reason: String, problems: [String], problemCount: Int)
    }

    /// What became of the objects of the set.
    package struct Counts: Sendable, Hashable {
        package var created = 0
        package var configured = 0
        package var unchanged = 0
        package var pruned = 0
        package var adopted = 0
        package var conflicts = 0
        package var protected = 0

        package init() {}
    }

    private static let typePrefix = "com.virtufin.websocketmanager.manifests."

    package var set: String
    package var directory: String
    package var instanceID: String
    package var kind: Kind

    package init(set: String, directory: String, instanceID: String, kind: Kind) {
        self.set = set
        self.directory = directory
        self.instanceID = instanceID
        self.kind = kind
    }

    /// The CloudEvents type.
    package var type: String {
        switch kind {
        case .applied: Self.typePrefix + "applied"
        case .refused: Self.typePrefix + "refused"
        }
    }

    /// The event for the bus.
    package func outbound(id: EventID, time: WallTime) -> OutboundEvent {
        OutboundEvent(
            topic: LifecycleEvent.topic, id: id, type: type, source: LifecycleEvent.source,
            subject: "manifests/" + set, time: time, payload: dataJSON(), kind: .json)
    }

    /// The `data` of the event: one JSON object.
    package func dataJSON() -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        JSONBytes.appendMember("set", set, to: &bytes)
        JSONBytes.appendMember("directory", directory, to: &bytes)
        JSONBytes.appendMember("instance_id", instanceID, to: &bytes)
        switch kind {
        case .applied(let counts, let revision, let problems):
            counts.append(to: &bytes)
            JSONBytes.appendKey("revision", to: &bytes)
            JSONBytes.appendDecimalString(UInt64(clamping: revision), to: &bytes)
            Self.append(problems, to: &bytes)
        case .refused(let reason, let problems, let count):
            JSONBytes.appendMember("reason", reason, to: &bytes)
            Self.append("problem_count", count, to: &bytes)
            Self.append(problems, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    fileprivate static func append(_ key: StaticString, _ number: Int, to bytes: inout [UInt8]) {
        JSONBytes.appendKey(key, to: &bytes)
        JSONBytes.appendDecimal(UInt64(clamping: number), to: &bytes)
    }

    private static func append(_ problems: [String], to bytes: inout [UInt8]) {
        JSONBytes.appendKey("problems", to: &bytes)
        bytes.append(UInt8(ascii: "["))
        for (index, problem) in problems.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONBytes.appendString(problem, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }
}

extension ManifestsEvent.Counts {
    fileprivate func append(to bytes: inout [UInt8]) {
        ManifestsEvent.append("created", created, to: &bytes)
        ManifestsEvent.append("configured", configured, to: &bytes)
        ManifestsEvent.append("unchanged", unchanged, to: &bytes)
        ManifestsEvent.append("pruned", pruned, to: &bytes)
        ManifestsEvent.append("adopted", adopted, to: &bytes)
        ManifestsEvent.append("conflicts", conflicts, to: &bytes)
        ManifestsEvent.append("protected", protected, to: &bytes)
    }
}

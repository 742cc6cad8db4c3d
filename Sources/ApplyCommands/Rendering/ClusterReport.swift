internal import ManagerAPI
internal import Spec

/// What `cluster` prints.
struct ClusterReport: Presentable {
    let address: ServerAddress
    let cluster: Wsm_V1_Cluster

    /// Every shard is served, everybody answers and is above suspicion.
    var isFine: Bool {
        guard cluster.clustered else { return true }
        return cluster.unserved == 0
            && cluster.members.allSatisfy { !$0.suspected && $0.problem.isEmpty && !$0.fenced }
    }

    // MARK: For people

    func table(_ canvas: Canvas) -> String {
        guard cluster.clustered else {
            return "server at \(address) is alone on its state store: there is no cluster\n"
        }
        var text = members(canvas)
        for line in notes(canvas) { text += TerminalText.singleLine(line) + "\n" }
        if !cluster.moves.isEmpty { text += "\n" + moves(canvas) }
        let odd = cluster.shards.filter { $0.state != "serving" && $0.state != "owned" }
        if canvas.isWide, !odd.isEmpty { text += "\n" + shards(odd, canvas) }
        return text
    }

    private func members(_ canvas: Canvas) -> String {
        var table = Table(columns: [
            .init(title: "INSTANCE"), .init(title: "STATE"),
            .init(title: "ADDRESS", shrink: .end(12), dropOrder: 1),
            .init(title: "SHARDS", isNumber: true), .init(title: "CONNECTIONS", isNumber: true),
            .init(title: "SINCE", dropOrder: 0), .init(title: "NOTE", shrink: .end(20)),
        ])
        table.rows = cluster.members.map { member in
            [
                member.instance, Self.state(member), member.address, String(member.shards),
                member.hasConnections ? String(member.connections) : "-",
                member.since > 0 ? TimeText.age(seconds: canvas.now - member.since) : "-",
                Self.note(member),
            ].map(TerminalText.singleLine)
        }
        return table.render(width: canvas.width, style: canvas.style)
    }

    private static func state(_ member: Wsm_V1_ClusterMember) -> String {
        member.state + (member.cordoned ? ",cordoned" : "") + (member.fenced ? ",fenced" : "")
    }

    private static func note(_ member: Wsm_V1_ClusterMember) -> String {
        let notes = [
            member.suspicion.isEmpty ? "" : "suspected: " + member.suspicion,
            member.problem.isEmpty ? "" : "no answer: " + member.problem,
        ]
        let text = notes.filter { !$0.isEmpty }.joined(separator: "; ")
        return text.isEmpty ? "-" : text
    }

    private func notes(_ canvas: Canvas) -> [String] {
        guard cluster.unserved > 0 else { return [] }
        let count = "\(cluster.unserved) of \(Int(cluster.shardCount).counted("shard"))"
        return [canvas.style("\(count) not served by anybody", .removed)]
    }

    private func moves(_ canvas: Canvas) -> String {
        var table = Table(columns: [
            .init(title: "SHARD", isNumber: true), .init(title: "FROM"), .init(title: "TO"),
            .init(title: "STEP"), .init(title: "WHY"),
        ])
        table.rows = cluster.moves.map { move in
            [
                String(move.shard), move.from, move.to.isEmpty ? "-" : move.to, move.step,
                move.drain ? "drain" : "balance",
            ].map(TerminalText.singleLine)
        }
        return table.render(width: canvas.width, style: canvas.style)
    }

    private func shards(_ shards: [Wsm_V1_ClusterShard], _ canvas: Canvas) -> String {
        var table = Table(columns: [
            .init(title: "SHARD", isNumber: true), .init(title: "STATE"), .init(title: "OWNER"),
            .init(title: "EPOCH", isNumber: true),
        ])
        table.rows = shards.map { shard in
            [
                String(shard.shard), shard.state, shard.owner.isEmpty ? "-" : shard.owner,
                String(shard.epoch),
            ].map(TerminalText.singleLine)
        }
        return table.render(width: canvas.width, style: canvas.style)
    }

    // MARK: For programs

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", ManifestVersion.v1)
        object.text("kind", "Cluster")
        object.bool("clustered", cluster.clustered)
        object.textIfAny("clusterId", cluster.clusterID)
        object.text("instance", cluster.instance)
        object.number("shardCount", cluster.shardCount)
        object.number("unserved", cluster.unserved)
        object.list("members", cluster.members.map(Self.json))
        object.list("moves", cluster.moves.map(Self.json))
        if !cluster.shards.isEmpty { object.list("shards", cluster.shards.map(Self.json)) }
        if cluster.hasTiming { object.value("timing", Self.json(cluster.timing)) }
        return object.object
    }

    var names: [String] { cluster.members.map(\.instance) }

    private static func json(_ member: Wsm_V1_ClusterMember) -> JSONValue {
        var object = JSONObjectBuilder()
        object.text("instance", member.instance)
        object.text("state", member.state)
        object.text("address", member.address)
        object.bool("self", member.self_p)
        object.number("slot", member.slot)
        object.number("slotEpoch", member.slotEpoch)
        object.text("incarnation", member.incarnation)
        object.number("weight", member.weight)
        object.bool("cordoned", member.cordoned)
        object.bool("fenced", member.fenced)
        object.number("shards", member.shards)
        if member.hasConnections { object.number("connections", member.connections) }
        object.timeIfAny("since", member.since)
        object.bool("suspected", member.suspected)
        object.textIfAny("suspicion", member.suspicion)
        object.textIfAny("problem", member.problem)
        return object.object
    }

    private static func json(_ move: Wsm_V1_ClusterMove) -> JSONValue {
        var object = JSONObjectBuilder()
        object.number("shard", move.shard)
        object.text("from", move.from)
        object.textIfAny("to", move.to)
        object.text("step", move.step)
        object.bool("drain", move.drain)
        return object.object
    }

    private static func json(_ shard: Wsm_V1_ClusterShard) -> JSONValue {
        var object = JSONObjectBuilder()
        object.number("shard", shard.shard)
        object.text("state", shard.state)
        object.textIfAny("owner", shard.owner)
        object.number("epoch", shard.epoch)
        return object.object
    }

    private static func json(_ timing: Wsm_V1_ClusterTiming) -> JSONValue {
        var object = JSONObjectBuilder()
        object.number("heartbeatMs", timing.heartbeat)
        object.number("storeDeadlineMs", timing.storeDeadline)
        object.number("leaseMs", timing.lease)
        object.number("publishMs", timing.publish)
        object.number("suspicionMs", timing.suspicion)
        object.number("pollMs", timing.poll)
        object.number("closeAfterFencedMs", timing.closeAfterFenced)
        object.number("awayGraceMs", timing.awayGrace)
        object.number("drainMs", timing.drain)
        return object.object
    }
}

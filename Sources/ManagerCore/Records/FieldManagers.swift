package import Spec

/// Who manages a field, and since when the field has its value from it.
package struct FieldOwner: Sendable, Hashable {
    /// As `--field-manager` names it; ``FieldManagers/grpc`` for calls of the API.
    package var manager: String
    package var since: WallTime

    package init(manager: String, since: WallTime) {
        self.manager = manager
        self.since = since
    }
}

/// Which managers declare which fields of one object.
///
/// A field is named by its path (`topic`, `keepalive.pingInterval`), a label by
/// `metadata.labels[KEY]`, an annotation likewise. Nearly always one manager declares everything at
/// one time; then no path is kept, so that a fleet of 100,000 costs no set of paths for each.
package struct FieldManagers: Sendable, Hashable {
    /// Of an apply that names none, and of records older than this.
    package static let standard = "wsm-apply"
    /// Of calls of the API. Nobody else may use the name.
    package static let grpc = "grpc"
    /// Characters of a manager's name: it stands in every record.
    package static let longestName = 128

    /// Why a text cannot be a manager's name; `nil` if it can.
    package static func problem(_ name: String) -> String? {
        if name == grpc { return "\"grpc\" stands for calls of the API; choose another name" }
        if name.isEmpty { return "it is empty" }
        if name.unicodeScalars.count > longestName {
            return "it has more than \(longestName) characters"
        }
        let isClean = name.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7F && !(0x80...0x9F).contains($0.value)
        }
        return isClean ? nil : "it holds a blank or a control character"
    }

    /// The fields of one owner.
    package struct Share: Sendable, Hashable {
        package var owner: FieldOwner
        package var fields: Set<String>

        package init(owner: FieldOwner, fields: Set<String>) {
            self.owner = owner
            self.fields = fields
        }
    }

    /// The owner of every declared field; `nil` where there are several, or none.
    package private(set) var sole: FieldOwner?
    /// Ordered by time, then name; empty where ``sole`` says it all.
    package private(set) var shares: [Share] = []

    package init(sole: FieldOwner?) {
        self.sole = sole
    }

    package init(shares: [Share]) {
        guard shares.count != 1 else {
            sole = shares[0].owner
            return
        }
        self.shares = shares.sorted {
            ($0.owner.since, $0.owner.manager) < ($1.owner.since, $1.owner.manager)
        }
    }

    package init(_ owners: [String: [FieldOwner]]) {
        var fields: [FieldOwner: Set<String>] = [:]
        for (path, owners) in owners {
            for owner in owners { fields[owner, default: []].insert(path) }
        }
        self.init(shares: fields.map { Share(owner: $0.key, fields: $0.value) })
    }

    /// Nobody but this manager declares anything.
    package func isOnly(_ manager: String) -> Bool {
        if let sole { return sole.manager == manager }
        return shares.allSatisfy { $0.owner.manager == manager }
    }

    /// Owners by path.
    ///
    /// - Parameter declared: every declared path of the object.
    package func owners(of declared: some Sequence<String>) -> [String: [FieldOwner]] {
        var owners: [String: [FieldOwner]] = [:]
        if let sole {
            for path in declared { owners[path] = [sole] }
        }
        for share in shares {
            for path in share.fields { owners[path, default: []].append(share.owner) }
        }
        return owners
    }

    /// The earliest time of all shares.
    package var since: WallTime? { sole?.since ?? shares.first?.owner.since }
}

/// The paths of a manifest's parts that are not in the spec.
package enum MetadataPath {
    package static func label(_ key: String) -> String { "metadata.labels[\(key)]" }
    package static func annotation(_ key: String) -> String { "metadata.annotations[\(key)]" }
}

extension ConnectionManifest {
    /// Every path the manifest declares a value for.
    package var declaredPaths: Set<String> {
        declared
            .union(metadata.labels.keys.map(MetadataPath.label))
            .union(metadata.annotations.keys.map(MetadataPath.annotation))
    }
}

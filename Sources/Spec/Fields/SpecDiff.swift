/// One field whose effective value differs between two specs.
package struct FieldChange: Sendable, Hashable {
    /// As in ``FieldTable``, without `spec.`: `keepalive.pingInterval`.
    package let path: String
    /// The value before, rendered as in a manifest, secrets as references; `nil` is not set.
    package let old: String?
    /// The value after; `nil` is not set.
    package let new: String?
    package let effect: EditEffect

    package init(path: String, old: String?, new: String?, effect: EditEffect) {
        self.path = path
        self.old = old
        self.new = new
        self.effect = effect
    }
}

/// Compares two resolved specs field by field.
package enum SpecDiff {
    /// The fields whose effective value differs, in the order of the table.
    package static func changes(
        from old: ConnectionSpec, to new: ConnectionSpec
    ) -> [FieldChange] {
        guard old != new else { return [] }
        return FieldTable.fields.compactMap { field in
            guard !field.isEqual(old, new) else { return nil }
            return FieldChange(
                path: field.path, old: field.rendered(old), new: field.rendered(new),
                effect: field.edit)
        }
    }

    /// What the changes together do to a live socket: the strongest of them.
    package static func effect(of changes: [FieldChange]) -> EditEffect {
        changes.map(\.effect).max() ?? .keep
    }
}

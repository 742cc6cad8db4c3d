extension FieldTable {
    /// The field with this path, as in ``Field/path``; `nil` where there is none.
    package static func field(at path: String) -> Field? {
        FieldTree.indices[path].map { fields[$0] }
    }
}

extension Field {
    /// Whether two specs mean the same by this field.
    package func hasSameValue(_ one: ConnectionSpec, _ other: ConnectionSpec) -> Bool {
        isEqual(one, other)
    }

    /// Gives a spec the value that another one has.
    package func copyValue(from source: ConnectionSpec, to target: inout ConnectionSpec) {
        copy(source, &target)
    }
}

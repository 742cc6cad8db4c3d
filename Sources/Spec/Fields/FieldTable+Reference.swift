extension FieldTable {
    /// A row of the reference that is no field of a connection's `spec` by itself: what all kinds
    /// have, what stands within a list, and the fields of a set.
    package struct Row: Sendable {
        package let path: String
        package let typeName: String
        package let defaultText: String
        package let rangeText: String
        /// As in ``Field/edit``, or what an edit does to the object.
        package let editText: String
        package let summary: String
    }

    /// How a value of each type is written.
    package static let typeForms: [(name: String, form: String)] = [
        ("string", "a YAML string; a bare `123`, `true` or `null` needs quotes"),
        ("bool", "`true`, `false`"),
        ("int", "decimal digits"),
        (
            "duration",
            "number and unit, from large to small: `30s`, `1h30m`, `1.5s`, `500ms`; at most 8760h"
        ),
        ("size", "whole number and unit: `B`, `KiB`, `MiB`, `GiB`"),
        ("name", "`a-z 0-9 - .`, a letter or digit at both ends, 1-253 characters"),
        (
            "Value",
            "a plain string, taken to the letter; or `{valueFrom: {env: NAME}}`; or "
                + "`{valueFrom: {file: PATH}}`; or "
                + "`{valueFrom: {daprSecret: {store: NAME, name: NAME, key: NAME}}}`"
        ),
        (
            "Match",
            "one of `text`, `prefix`, `regex`, `base64Prefix`, or `path` with `equals` or "
                + "`exists: true`"
        ),
    ]

    /// What every object has beside its `spec`.
    package static let commonRows: [Row] = [
        Row(
            path: "apiVersion", typeName: "string", defaultText: "required",
            rangeText: "`\(ManifestVersion.v1)`", editText: "–",
            summary: "The version of the format."),
        Row(
            path: "kind", typeName: "string", defaultText: "required",
            rangeText: ObjectKind.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "),
            editText: "–", summary: "What the document declares."),
        Row(
            path: "metadata.name", typeName: "name", defaultText: "required",
            rangeText: "`a-z 0-9 - .`, alphanumeric at both ends, 1-253 characters; unique per "
                + "kind in one apply", editText: "another name is another object",
            summary: "The name, which is also the `id` of the API."),
        Row(
            path: "metadata.labels", typeName: "map string → string", defaultText: "`{}`",
            rangeText: "≤ 50 entries, key 1-128 chars, value ≤ 1024 chars", editText: "keep",
            summary: "Labels, which are the API's tags."),
        Row(
            path: "metadata.annotations", typeName: "map string → string", defaultText: "`{}`",
            rangeText: "≤ 64KiB in all; of `wsm.virtufin.com/*` known keys only",
            editText: "keep", summary: "Notes for people and tools."),
        Row(
            path: "metadata.annotations[\(Metadata.pruneAnnotation)]", typeName: "string",
            defaultText: "–", rangeText: "`disabled`", editText: "keep",
            summary: "A prune skips the object and names it."),
        Row(
            path: "metadata.resourceVersion", typeName: "string", defaultText: "–", rangeText: "",
            editText: "–",
            summary: "Where it is given it must match the stored one, else the apply conflicts."),
        Row(
            path: "metadata.uid, .generation, .creationTimestamp, .managers; status",
            typeName: "–", defaultText: "–", rangeText: "", editText: "–",
            summary: "Written by the server only; in a file ignored with a warning."),
    ]

    /// What stands within a connection's lists and maps.
    package static let elementRows: [Row] = [
        Row(
            path: "onOpen[].text", typeName: "Value", defaultText: "–",
            rangeText: "exactly one of `text`, `base64`; ≤ 1MiB", editText: "reopen",
            summary: "Sent as one text message."),
        Row(
            path: "onOpen[].base64", typeName: "string or {valueFrom}", defaultText: "–",
            rangeText: "RFC 4648 with padding; ≤ 1MiB", editText: "reopen",
            summary: "Sent as one binary message."),
        Row(
            path: "tls", typeName: "map", defaultText: "system roots, verified",
            rangeText: "with a `wss` URL only", editText: "–",
            summary: "How the server is verified, and the client's certificate."),
    ]

    /// The `spec` of a `ConnectionSet`.
    package static let setRows: [Row] = [
        Row(
            path: "list", typeName: "list of map identifier → string, int or bool",
            defaultText: "–",
            rangeText: "exactly one of `list`, `matrix`; ≤ 100,000 members, ≤ 64 variables",
            editText: "members added open, members gone close, others by their fields",
            summary: "One row of variables for each member."),
        Row(
            path: "matrix", typeName: "map identifier → list of scalars", defaultText: "–",
            rangeText: "product ≤ 100,000", editText: "as `list`",
            summary: "All combinations of the lists."),
        Row(
            path: "name", typeName: "string with `{{var}}`", defaultText: "required",
            rangeText: "each result a name, no two equal",
            editText: "another name is another connection", summary: "The members' names."),
        Row(
            path: "template.metadata.labels, .annotations", typeName: "map, values with `{{var}}`",
            defaultText: "`{}`", rangeText: "as for every object", editText: "keep",
            summary: "The members' labels and annotations."),
        Row(
            path: "template.spec", typeName: "Connection spec, string values with `{{var}}`",
            defaultText: "required", rangeText: "checked for each member",
            editText: "by member: only those whose effective spec changed",
            summary: "The members' spec."),
    ]
}

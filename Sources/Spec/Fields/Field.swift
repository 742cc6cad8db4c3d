/// A place of a spec. Two closures and no key path: a key path copies the whole spec to read one
/// value of it, and the table is walked a hundred times for each connection.
struct SpecPlace<Value: Sendable>: Sendable {
    let get: @Sendable (ConnectionSpec) -> Value
    let set: @Sendable (inout ConnectionSpec, Value) -> Void

    init(
        _ get: @escaping @Sendable (ConnectionSpec) -> Value,
        _ set: @escaping @Sendable (inout ConnectionSpec, Value) -> Void
    ) {
        self.get = get
        self.set = set
    }
}

/// One row of the field table: everything that is to be known of one field of a connection.
///
/// The compiler, the diff, the stored form and the reference page are all made from it. A class, so
/// that walking the table copies nothing.
package final class Field: Sendable {
    /// Without `spec.`: `keepalive.pingInterval`.
    package let path: String
    package let typeName: String
    /// As the reference tells it; a value of the manifest stands in backticks.
    package let defaultText: String
    package let rangeText: String
    package let edit: EditEffect
    /// One sentence for people.
    package let summary: String
    let isRequired: Bool
    /// Whether strings of the value are expanded in the template of a set.
    let isExpandable: Bool
    /// What JSON Schema can say of the value.
    let form: SchemaForm
    /// The default; what it is without the fields that it depends on. `nil` where there is none.
    let standard: JSONValue?
    let decode: @Sendable (Node, inout FieldProblems, inout ConnectionSpec) -> Void
    let encode: @Sendable (ConnectionSpec, inout JSONWriter) -> Void
    let isSet: @Sendable (ConnectionSpec) -> Bool
    let isEqual: @Sendable (ConnectionSpec, ConnectionSpec) -> Bool
    let copy: @Sendable (ConnectionSpec, inout ConnectionSpec) -> Void

    /// A field that always has a value. Its default is what a new ``ConnectionSpec`` holds.
    init<Value>(
        _ path: String, _ place: SpecPlace<Value>,
        _ codec: ValueCodec<Value>, _ edit: EditEffect, default defaultText: String? = nil,
        range rangeText: String? = nil, isRequired: Bool = false, _ summary: String
    ) {
        self.path = path
        self.edit = edit
        self.summary = summary
        self.isRequired = isRequired
        typeName = codec.typeName
        self.rangeText = rangeText ?? codec.rangeText
        isExpandable = codec.isExpandable
        form = codec.form
        var writer = JSONWriter()
        codec.encode(place.get(ConnectionSpec(url: "")), &writer)
        standard = isRequired ? nil : try? JSONValue.parse(writer.bytes)
        self.defaultText = defaultText ?? "`\(Self.manifestText(writer.bytes))`"
        decode = { node, problems, spec in
            guard let value = codec.decode(node, &problems) else { return }
            place.set(&spec, value)
        }
        encode = { spec, writer in codec.encode(place.get(spec), &writer) }
        isSet = { _ in true }
        isEqual = { place.get($0) == place.get($1) }
        copy = { place.set(&$1, place.get($0)) }
    }

    /// A field that may be left without a value.
    init<Value>(
        _ path: String, optional place: SpecPlace<Value?>,
        _ codec: ValueCodec<Value>, _ edit: EditEffect, default defaultText: String,
        range rangeText: String? = nil, _ summary: String
    ) {
        self.path = path
        self.edit = edit
        self.summary = summary
        isRequired = false
        typeName = codec.typeName
        self.defaultText = defaultText
        self.rangeText = rangeText ?? codec.rangeText
        isExpandable = codec.isExpandable
        form = codec.form
        standard = nil
        decode = { node, problems, spec in
            guard let value = codec.decode(node, &problems) else { return }
            place.set(&spec, value)
        }
        encode = { spec, writer in
            if let value = place.get(spec) { codec.encode(value, &writer) }
        }
        isSet = { place.get($0) != nil }
        isEqual = { place.get($0) == place.get($1) }
        copy = { place.set(&$1, place.get($0)) }
    }

    /// The value as a manifest shows it on one line; `nil` where it is not set.
    func rendered(_ spec: ConnectionSpec) -> String? {
        guard isSet(spec) else { return nil }
        var writer = JSONWriter()
        encode(spec, &writer)
        return Self.manifestText(writer.bytes)
    }

    /// JSON, but a lone string without its quotes.
    private static func manifestText(_ json: [UInt8]) -> String {
        if case .string(let text)? = try? JSONValue.parse(json) { return text }
        return String(decoding: json, as: UTF8.self)
    }
}

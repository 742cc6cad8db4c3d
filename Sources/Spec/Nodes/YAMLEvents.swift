internal import CYaml

/// The events of libyaml, one after the other, with the text of each copied out.
///
/// The library's own tree (and that of Yams) is not used: it stops at the first duplicate key,
/// recurses, and has no bound on depth or aliases.
struct YAMLEvents: ~Copyable {
    enum Event {
        case documentStart
        case documentEnd
        case alias(String)
        case scalar(Scalar, tag: String?, anchor: String?)
        case begin(isMapping: Bool, tag: String?, anchor: String?)
        case end
        case streamEnd
    }

    /// What libyaml has against the text.
    struct SyntaxFault: Error {
        var mark: Mark
        var message: String
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: ArraySlice<UInt8>

    /// `nil` where there is no memory.
    /// - Parameter bytes: the text, not empty; must outlive this value.
    init?(_ bytes: UnsafeBufferPointer<UInt8>, text: ArraySlice<UInt8>) {
        parser = .allocate(capacity: 1)
        self.text = text
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            return nil
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// The next event and where it begins.
    mutating func next() throws(SyntaxFault) -> (Event, Mark) {
        var event = yaml_event_t()
        repeat {
            guard yaml_parser_parse(parser, &event) == 1 else { throw fault() }
        } while event.type == YAML_STREAM_START_EVENT
        defer { yaml_event_delete(&event) }
        return (Self.read(event), Self.mark(event.start_mark))
    }

    private static func read(_ event: yaml_event_t) -> Event {
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            return .documentStart
        case YAML_DOCUMENT_END_EVENT:
            return .documentEnd
        case YAML_ALIAS_EVENT:
            return .alias(string(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            return scalar(event.data.scalar)
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return .begin(isMapping: false, tag: string(start.tag), anchor: string(start.anchor))
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return .begin(isMapping: true, tag: string(start.tag), anchor: string(start.anchor))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            return .end
        default:
            return .streamEnd
        }
    }

    private static func scalar(_ data: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar)
        -> Event
    {
        let bytes = UnsafeBufferPointer(start: data.value, count: data.length)
        let scalar = Scalar(
            text: String(decoding: bytes, as: UTF8.self),
            isString: data.style != YAML_PLAIN_SCALAR_STYLE)
        return .scalar(scalar, tag: string(data.tag), anchor: string(data.anchor))
    }

    private static func string(_ text: UnsafeMutablePointer<UInt8>?) -> String? {
        text.map { String(cString: $0) }
    }

    private static func mark(_ mark: yaml_mark_t) -> Mark {
        Mark(
            line: UInt32(clamping: mark.line + 1), column: UInt32(clamping: mark.column + 1))
    }

    private func fault() -> SyntaxFault {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "out of memory"
        if parser.pointee.error == YAML_READER_ERROR {
            let mark = TextEncoding.mark(
                at: text.startIndex + parser.pointee.problem_offset, in: text)
            return SyntaxFault(mark: mark, message: problem)
        }
        if problem.hasPrefix("Maximum nesting level") {
            // Its own bound, far above ours, reached while it looked ahead.
            return SyntaxFault(
                mark: Self.mark(parser.pointee.problem_mark),
                message: "it is nested deeper than \(ManifestLimits.maxDepth)")
        }
        let context = parser.pointee.context.map { " (\(String(cString: $0)))" } ?? ""
        return SyntaxFault(
            mark: Self.mark(parser.pointee.problem_mark), message: problem + context)
    }
}

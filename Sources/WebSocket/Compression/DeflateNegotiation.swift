/// Offers permessage-deflate and judges what a server makes of the offer (RFC 7692, 7.1).
///
/// One offer and no fallback: a server that cannot keep to it declines, and messages go as they are.
enum DeflateNegotiation {
    static let name = "permessage-deflate"
    static let serverNoContext = "server_no_context_takeover"
    static let clientNoContext = "client_no_context_takeover"
    static let serverWindow = "server_max_window_bits"
    static let clientWindow = "client_max_window_bits"

    private static let largest = CompressionOptions.windowBits.upperBound

    /// The value of `Sec-WebSocket-Extensions` in the request.
    ///
    /// `client_max_window_bits` always stands there: without it a server may not name a window.
    static func offer(_ options: CompressionOptions) -> String {
        var parts = [Self.name]
        if !options.serverContextTakeover { parts.append(Self.serverNoContext) }
        if !options.clientContextTakeover { parts.append(Self.clientNoContext) }
        if options.serverMaxWindowBits < Self.largest {
            parts.append("\(Self.serverWindow)=\(options.serverMaxWindowBits)")
        }
        parts.append(
            options.clientMaxWindowBits < Self.largest
                ? "\(Self.clientWindow)=\(options.clientMaxWindowBits)" : Self.clientWindow)
        return parts.joined(separator: "; ")
    }

    /// Judges the answer.
    /// - Parameters:
    ///   - values: Of all `Sec-WebSocket-Extensions` headers of the answer.
    ///   - options: What was offered; nil when nothing was.
    /// - Returns: Nil when messages go uncompressed.
    static func accept(
        _ values: [String],
        offered options: CompressionOptions?
    ) throws(HandshakeFailure) -> CompressionAgreement? {
        guard let choices = ExtensionChoice.list(values) else {
            throw .badHandshake("the answer's Sec-WebSocket-Extensions is malformed")
        }
        guard let choice = choices.first else {
            guard options?.isRequired != true else {
                throw .compression("the server does not compress and compression is required")
            }
            return nil
        }
        guard let options, choices.allSatisfy({ $0.name == Self.name }) else {
            throw .badHandshake("the server chose an extension that was not offered")
        }
        guard choices.count == 1 else { throw .badHandshake("the server chose \(Self.name) twice") }
        return try Self.agreement(choice.parameters, options)
    }

    private static func agreement(
        _ parameters: [ExtensionChoice.Parameter],
        _ options: CompressionOptions
    ) throws(HandshakeFailure) -> CompressionAgreement {
        var seen: Set<String> = []
        // We never use more than we offered, whatever the server allows.
        var agreement = CompressionAgreement(
            serverKeepsContext: true, clientKeepsContext: options.clientContextTakeover,
            serverWindowBits: Self.largest, clientWindowBits: options.clientMaxWindowBits)
        for parameter in parameters {
            guard seen.insert(parameter.name).inserted else {
                throw .badHandshake("the server named \(Self.shown(parameter)) twice")
            }
            switch parameter.name {
            case Self.serverNoContext:
                try Self.checkBare(parameter)
                agreement.serverKeepsContext = false
            case Self.clientNoContext:
                try Self.checkBare(parameter)
                agreement.clientKeepsContext = false
            case Self.serverWindow:
                agreement.serverWindowBits = try Self.bits(
                    parameter, atMost: options.serverMaxWindowBits)
            case Self.clientWindow:
                agreement.clientWindowBits = try Self.bits(
                    parameter, atMost: options.clientMaxWindowBits)
            default:
                throw .badHandshake(
                    "the server named the unknown parameter \(Self.shown(parameter))")
            }
        }
        try Self.checkAccepted(seen, options)
        return agreement
    }

    /// What we ask of the server holds only when the answer repeats it (RFC 7692, 7.1.1.1, 7.1.2.1).
    private static func checkAccepted(
        _ seen: Set<String>,
        _ options: CompressionOptions
    ) throws(HandshakeFailure) {
        guard options.serverContextTakeover || seen.contains(Self.serverNoContext) else {
            throw .badHandshake("the server took the offer without \(Self.serverNoContext)")
        }
        let isWindowFree = options.serverMaxWindowBits == Self.largest
        guard isWindowFree || seen.contains(Self.serverWindow) else {
            throw .badHandshake("the server took the offer without \(Self.serverWindow)")
        }
    }

    private static func checkBare(
        _ parameter: ExtensionChoice.Parameter
    ) throws(HandshakeFailure) {
        guard parameter.value == nil else {
            throw .badHandshake("the server gave \(parameter.name) a value")
        }
    }

    /// Reads a window: decimal, without a leading zero.
    private static func bits(
        _ parameter: ExtensionChoice.Parameter,
        atMost limit: Int
    ) throws(HandshakeFailure) -> Int {
        guard let value = parameter.value else {
            throw .badHandshake("the server gave \(parameter.name) no value")
        }
        let isDecimal =
            value.utf8.count <= 2 && value.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isDecimal, !value.hasPrefix("0"), let bits = Int(value),
            CompressionOptions.windowBits.contains(bits)
        else {
            throw .badHandshake("the server gave \(parameter.name) a value that is not in 8-15")
        }
        guard bits <= limit else {
            throw .badHandshake("the server chose \(parameter.name)=\(bits), offered was \(limit)")
        }
        return bits
    }

    private static func shown(_ parameter: ExtensionChoice.Parameter) -> String {
        HTTPText.printable(parameter.name, limit: 64)
    }
}

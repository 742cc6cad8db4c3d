import Testing

@testable import WebSocket

struct DeflateNegotiationTests {
    @Test(
        arguments: [
            (
                CompressionOptions(),
                "permessage-deflate; client_no_context_takeover; client_max_window_bits"
            ),
            (
                CompressionOptions(
                    serverContextTakeover: false, clientContextTakeover: true,
                    serverMaxWindowBits: 10, clientMaxWindowBits: 9),
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; "
                    + "client_max_window_bits=9"
            ),
        ])
    func offersWhatTheOptionsSay(_ example: (options: CompressionOptions, offer: String)) {
        #expect(DeflateNegotiation.offer(example.options) == example.offer)
    }

    private static func accept(
        _ answer: String...,
        offered options: CompressionOptions? = CompressionOptions(clientContextTakeover: true)
    ) throws(HandshakeFailure) -> String? {
        try DeflateNegotiation.accept(answer, offered: options)?.description
    }

    @Test(
        arguments: [
            ("permessage-deflate", "permessage-deflate"),
            (
                " PerMessage-Deflate ;Server_No_Context_Takeover",
                "permessage-deflate; server_no_context_takeover"
            ),
            (
                "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            ),
            (
                "permessage-deflate; server_max_window_bits=8; client_max_window_bits = \"12\"",
                "permessage-deflate; server_max_window_bits=8; client_max_window_bits=12"
            ),
            ("permessage-deflate; server_max_window_bits=15", "permessage-deflate"),
            (", permessage-deflate ,", "permessage-deflate"),
        ])
    func takesWhatTheServerChose(_ example: (answer: String, agreed: String)) throws {
        #expect(try Self.accept(example.answer) == example.agreed)
    }

    @Test func usesNoMoreThanWasOffered() throws {
        let options = CompressionOptions(clientContextTakeover: false, clientMaxWindowBits: 10)
        #expect(
            try Self.accept("permessage-deflate", offered: options)
                == "permessage-deflate; client_no_context_takeover; client_max_window_bits=10")
    }

    @Test(arguments: [[], [""], [" , "]])
    func noAnswerIsNoCompression(_ values: [String]) throws {
        #expect(try DeflateNegotiation.accept(values, offered: CompressionOptions()) == nil)
        #expect(try DeflateNegotiation.accept(values, offered: nil) == nil)
        let required = CompressionOptions(isRequired: true)
        let failure = #expect(throws: HandshakeFailure.self) {
            try DeflateNegotiation.accept(values, offered: required)
        }
        #expect(failure?.code == .compression)
    }

    @Test(arguments: [
        "x-webkit-deflate-frame", "permessage-deflate, permessage-bzip2",
        "permessage-deflate, permessage-deflate", "permessage-deflate; unknown",
        "permessage-deflate; mode=fast",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits=9; client_max_window_bits=9",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; client_max_window_bits=0",
        "permessage-deflate; client_max_window_bits=99999999999999999999",
        "permessage-deflate; client_max_window_bits=x", "permessage-deflate;",
        "permessage-deflate; =9", "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=\"10", "permessage deflate", "@",
    ])
    func refusesAnAnswerAgainstTheRFC(_ answer: String) {
        let failure = #expect(throws: HandshakeFailure.self) { try Self.accept(answer) }
        #expect(failure?.code == .badHandshake)
    }

    @Test func refusesAnExtensionWhereNoneWasOffered() {
        let failure = #expect(throws: HandshakeFailure.self) {
            try Self.accept("permessage-deflate", offered: nil)
        }
        #expect(failure?.message == "the server chose an extension that was not offered")
        #expect(throws: HandshakeFailure.self) {
            try Self.accept("permessage-deflate", "permessage-deflate")
        }
    }

    @Test func whatIsAskedOfTheServerMustBeRepeated() throws {
        let options = CompressionOptions(serverContextTakeover: false, serverMaxWindowBits: 10)
        for answer in [
            "permessage-deflate", "permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=11",
        ] {
            #expect(throws: HandshakeFailure.self) { try Self.accept(answer, offered: options) }
        }
        let answer = "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"
        #expect(
            try Self.accept(answer, offered: options)
                == "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                + "server_max_window_bits=9")
    }
}

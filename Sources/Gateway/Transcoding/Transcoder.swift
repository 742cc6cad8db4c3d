/// Both directions of the JSON mapping for any message of the contract, by its full name.
package struct Transcoder: Sendable {
    private let schema: ProtoSchema

    /// Of the contract this program was built with.
    package init() throws {
        schema = try .committed()
    }

    /// What was given is no JSON, or not of this message; one sentence with the place.
    package struct Refused: Error, CustomStringConvertible {
        package var description: String
    }

    /// - Throws: ``Refused``.
    package func wire(fromJSON text: [UInt8], of name: String) throws(Refused) -> [UInt8] {
        let node: JSONNode
        do {
            node = try JSONParser.parse(text)
        } catch {
            throw Refused(description: "\(error)")
        }
        do {
            return try MessageEncoder(schema: schema).encode(node, as: name)
        } catch {
            throw Refused(description: error.description)
        }
    }

    /// - Throws: ``Refused`` for bytes that are not this message.
    package func json(fromWire bytes: [UInt8], of name: String) throws(Refused) -> [UInt8] {
        do {
            return try MessageDecoder(schema: schema).json(bytes, of: name)
        } catch {
            throw Refused(description: "\(error)")
        }
    }
}

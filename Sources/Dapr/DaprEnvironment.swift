/// How to reach the sidecar: what Dapr's own variables say, or two ports of this machine.
///
/// | variable | |
/// |---|---|
/// | `DAPR_GRPC_ENDPOINT`, `DAPR_HTTP_ENDPOINT` | whole addresses; win over the ports |
/// | `DAPR_GRPC_PORT` (50001), `DAPR_HTTP_PORT` (3500) | ports of this machine |
/// | `DAPR_API_TOKEN` | sent with every call; never shown |
///
/// An empty variable says nothing.
package struct DaprEnvironment: Sendable, Hashable {
    package static let defaultGRPCPort = 50_001
    package static let defaultHTTPPort = 3_500

    package var grpc: DaprEndpoint
    package var http: DaprEndpoint
    /// A secret.
    package var apiToken: String?

    /// A variable that cannot be used.
    package struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String
    }

    package init(grpc: DaprEndpoint, http: DaprEndpoint, apiToken: String? = nil) {
        self.grpc = grpc
        self.http = http
        self.apiToken = apiToken
    }

    /// - Parameters:
    ///   - grpcPort, httpPort: what the program was told otherwise; they win over the variables
    ///     with ports, and give way to endpoints.
    /// - Throws: ``Fault`` naming the variable.
    package init(
        variables: [String: String], grpcPort: Int? = nil, httpPort: Int? = nil
    ) throws(Fault) {
        func value(_ name: String) -> String? {
            variables[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        func port(_ name: String, _ given: Int?, _ standard: Int) throws(Fault) -> Int {
            if let given { return given }
            guard let text = value(name) else { return standard }
            guard let number = Int(text), (1...65_535).contains(number) else {
                throw Fault(description: "\(name) is \(text): it must be a port, 1 to 65535")
            }
            return number
        }
        func endpoint(_ name: String, plainPort: Int) throws(Fault) -> DaprEndpoint? {
            guard let text = value(name) else { return nil }
            do throws(DaprEndpoint.Malformed) {
                return try DaprEndpoint(text, plainPort: plainPort)
            } catch {
                throw Fault(description: "\(name) is \(text): \(error)")
            }
        }
        let (grpcPort, httpPort) = (
            try port("DAPR_GRPC_PORT", grpcPort, Self.defaultGRPCPort),
            try port("DAPR_HTTP_PORT", httpPort, Self.defaultHTTPPort)
        )
        let grpc = try endpoint("DAPR_GRPC_ENDPOINT", plainPort: 443)
        let http = try endpoint("DAPR_HTTP_ENDPOINT", plainPort: 80)
        self.grpc = grpc ?? .loopback(port: grpcPort)
        self.http = http ?? .loopback(port: httpPort)
        apiToken = value("DAPR_API_TOKEN")
        if let apiToken, !apiToken.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            throw Fault(description: "DAPR_API_TOKEN holds what no header can carry")
        }
    }
}
